"""Tags, ``meta`` keys and custom properties: free words by which people label things in catalogues.

Rules:

- a key that is an attribute of the thing's kind gives that attribute, unless the document states it in its own place;
- a word alone that names a Boolean attribute means true;
- what labels a column says something of the whole only where it is true, and where what is true of a part is true of
  the whole: one personal column makes personal data, whatever the whole is labelled, and no column anonymised data;
- case, ``-`` and space do not matter in a key; any other label is not kept, and told once for each kind.
"""

from policy_dsl.typed.types import Simple
from policy_engine.lineage.importers.gathering import Gathering, Thing
from policy_engine.lineage.importers.placeholders import filled

_OWN_PLACE = frozenset({"name", "description", "version", "digest"})
"""Attributes that formats have a place of their own for: a label of that name is about something else."""

_OF_WHOLE = frozenset({"anonymised"})
"""Attributes that are true of the whole only where they are true of every part."""


class Labels:
    """Takes the labels of the things of one document; each attribute of a thing is taken once."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._given: set[tuple[str, str]] = set()
        self._of_columns: set[tuple[str, str]] = set()

    def given(self, thing: Thing, name: str) -> None:
        """Remember that the document states an attribute in its own place."""
        self._given.add((thing.id, name))

    def is_given(self, thing: Thing, name: str) -> bool:
        """Tell whether an attribute of a thing has been told."""
        return (thing.id, name) in self._given

    def fits(self, thing: Thing, key: str) -> bool:
        """Tell whether a key names an attribute of a thing."""
        return self._attribute(thing, key) is not None

    def pair(self, thing: Thing, key: str, value: object, at: str) -> None:
        """Take a key with its value."""
        name = self._name(thing, key, at)
        if name is None or value is None or value == "":
            return
        if isinstance(value, str):
            text = filled(self._gathering, value, at)
            if text is not None:
                self._gathering.label(thing, name, text, at)
        else:
            self._gathering.attribute(thing, name, value, at)
        self.given(thing, name)

    def word(self, thing: Thing, word: str, at: str) -> None:
        """Take a word alone."""
        name = self._name(thing, word, at)
        if name is None:
            return
        if self._is_boolean(thing, name):
            self._gathering.attribute(thing, name, True, at)
            self.given(thing, name)
        else:
            self._not_kept(thing, at)

    def of_column(self, thing: Thing, key: str, value: object, at: str) -> None:
        """Take a label of a column."""
        is_true = value is True or (isinstance(value, str) and value.strip().casefold() == "true")
        if not is_true:
            return
        name = self._attribute(thing, key)
        if name is None or name in _OF_WHOLE or not self._is_boolean(thing, name):
            self._not_kept(thing, at)
        elif (thing.id, name) not in self._of_columns:
            # Beside a label of the whole that denies it this is a contradiction, which joining tells.
            self._of_columns.add((thing.id, name))
            self._gathering.attribute(thing, name, True, at)

    def _name(self, thing: Thing, key: str, at: str) -> str | None:
        """Return the attribute that a key names; nothing if there is none, or if it has been told."""
        name = self._attribute(thing, key)
        if name is None:
            self._not_kept(thing, at)
        return None if (thing.id, name) in self._given else name

    def _attribute(self, thing: Thing, key: str) -> str | None:
        name = key.strip().casefold().replace("-", "_").replace(" ", "_")
        known = self._gathering.schema.kinds[thing.kind].attributes
        return name if name in known and name not in _OWN_PLACE else None

    def _is_boolean(self, thing: Thing, name: str) -> bool:
        return self._gathering.schema.kinds[thing.kind].attributes[name].type is Simple.BOOLEAN

    def _not_kept(self, thing: Thing, at: str) -> None:
        self._gathering.skip(f"labels that are no attribute of {thing.kind} are not kept", at)
