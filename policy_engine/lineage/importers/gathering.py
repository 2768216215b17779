"""Gathering what a foreign document claims, as far as the schema has a place for it.

Rules:

- a kind, attribute or edge that the schema does not have is left out, counted and told once for each kind of it;
- a name that several things of one document claim as an alias identifies none of them, and is told once;
- a fact that the document attributes to somebody has that source besides the document itself;
- a kind that the document does not say is presumed, and may turn out to be another: of an edge from or to such a thing
  every name is claimed that the schema might have a place for;
- nothing is taken from a word that only says that a value is missing.

>>> from policy_dsl.typed.schema import Schema
>>> gathering = Gathering(Source("bom.json", "sha256:00", "cyclonedx", "bom.json"), Schema())
>>> gathering.thing("scorer", "Model", "/components/0") is None
True
>>> [problem.message for problem in gathering.claims().problems]
['things that would be of kind Model are not kept: the schema has no such kind']
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.types import EnumType, SetType, Simple
from policy_engine.lineage.binding import read_value
from policy_engine.lineage.claims import AttributeClaim, Claims, EdgeClaim, NodeClaim
from policy_engine.lineage.graph import Origin, Source
from policy_engine.lineage.importers.licences import registered
from policy_engine.lineage.importers.missing import says_nothing
from policy_engine.lineage.importers.shapes import Shapes

VENDOR = "urn:ai-policy-engine:vendor:"
# Every fact below a part has each of these as an origin.
_MOST_ATTRIBUTIONS = 16
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing of a document that is kept, of a kind that the document states or that is only presumed."""

    id: str
    kind: str
    presumed: bool = False


class Gathering:
    """Collects the claims of one foreign document."""

    def __init__(self, source: Source, schema: Schema) -> None:
        self.source = source
        self.schema = schema
        self.shapes = Shapes(source.name, own=False)
        self._nodes: list[NodeClaim] = []
        self._attributes: list[AttributeClaim] = []
        self._edges: list[EdgeClaim] = []
        self._skipped: dict[tuple[str, str], tuple[str, int]] = {}
        self._attributed: dict[str, list[Source]] = {}
        self._possible: dict[tuple[object, ...], tuple[str, ...]] = {}

    # Who says so

    def stated(self, by: str | None, at: object, pointer: str) -> None:
        """Say who asserts the document and when, as far as it tells."""
        if by is not None and not says_nothing(by):
            self.source = replace(self.source, asserted_by=by)
        if (when := self.instant(at, pointer)) is not None:
            self.source = replace(self.source, asserted_at=when)

    def attribute_to(self, pointer: str, name: str, by: str, at: datetime | None) -> None:
        """Say that what stands at a pointer and below it is also asserted by somebody, under a name of its own."""
        source = replace(self.source, name=f"{self.source.name}#{name}", asserted_by=by, asserted_at=at)
        named = self._attributed.setdefault(pointer, [])
        if source in named:
            return
        if len(named) < _MOST_ATTRIBUTIONS:
            named.append(source)
        else:
            self.skip(f"of a part with more than {_MOST_ATTRIBUTIONS} citations only these are kept", pointer, "PE3178")

    def origins(self, at: str) -> tuple[Origin, ...]:
        """Return the places that assert what stands at a pointer."""
        found = [Origin(self.source.name, at)]
        above = at
        while self._attributed:
            found += [Origin(source.name, at) for source in self._attributed.get(above, ())]
            if not above:
                break
            above = above.rpartition("/")[0]
        return tuple(sorted(set(found), key=lambda origin: origin.sort_key))

    def instant(self, raw: object, pointer: str) -> datetime | None:
        """Return an instant that the document states; one that is none is reported."""
        if raw is None:
            return None
        when = read_value(raw, Simple.INSTANT)
        if isinstance(when, datetime):
            return when
        self.shapes.wrong(raw, "an instant with its offset from UTC", pointer)
        return None

    # Things

    def thing(
        self, node_id: str, kind: str, at: str, aliases: tuple[str, ...] = (), *, presumed: bool = False
    ) -> Thing | None:
        """Claim that a thing exists; nothing if the schema has no such kind."""
        if kind not in self.schema.kinds:
            self.skip(f"things that would be of kind {kind} are not kept: the schema has no such kind", at)
            return None
        others = tuple(dict.fromkeys(alias for alias in aliases if alias != node_id))
        self._nodes.append(NodeClaim(node_id, kind, others, self.origins(at), presumed))
        return Thing(node_id, kind, presumed)

    def vendor(self, thing: Thing, name: str, at: str, aliases: tuple[str, ...] = ()) -> None:
        """Claim that a thing is supplied by the organisation of a name."""
        if says_nothing(name):
            return
        if "Vendor" not in self.schema.kinds:
            self.skip("suppliers are not kept: the schema has no kind Vendor", at)
            return
        # Of an organisation documents have nothing more stable than its name; the inventory can declare it as an alias.
        is_address = name.startswith(("http://", "https://"))
        vendor = self.thing(name if is_address else VENDOR + quote(name.strip(), safe=""), "Vendor", at, aliases)
        if vendor is not None:
            self.attribute(vendor, "name", name.strip(), at)
            self.edge("supplied_by", thing, vendor, at)

    def attribute(self, thing: Thing, name: str, raw: object, at: str) -> None:
        """Claim a value of an attribute; a list becomes one text where the attribute is one."""
        if raw is None or raw == [] or (isinstance(raw, str) and says_nothing(raw)):
            return
        attribute = self.schema.kinds[thing.kind].attributes.get(name)
        if attribute is None:
            self.skip(f"`{name}` is not kept: {thing.kind} has no such attribute", at)
            return
        if isinstance(attribute.type, EnumType) and isinstance(raw, str):
            raw = raw.replace("-", "_")  # a member of an enumeration is a word of the language
        if attribute.type is Simple.TEXT and isinstance(raw, list) and all(isinstance(item, str) for item in raw):
            raw = "\n".join(item for item in raw if not says_nothing(item))
        if name == "licence" and isinstance(raw, str):
            raw = registered(raw)
        self._attributes.append(AttributeClaim(thing.id, name, raw, self.origins(at)))

    def label(self, thing: Thing, name: str, text: str, at: str) -> bool:
        """Claim what a tag says, where its key is the name of an attribute; tags are text whatever they mean."""
        attribute = self.schema.kinds[thing.kind].attributes.get(name)
        if attribute is None:
            return False
        self.attribute(thing, name, _typed(text, attribute), at)
        return True

    def digest(self, thing: Thing, written: object, at: str) -> None:
        """Claim the content digest of a thing, from SHA-256 in hexadecimal."""
        if isinstance(written, str) and _SHA256.fullmatch(written):
            self.attribute(thing, "digest", f"sha256:{written.lower()}", at)
        elif written is not None:
            self.shapes.wrong(written, "a SHA-256 digest in hexadecimal", at)

    # Edges

    def edge(self, name: str, source: Thing, target: Thing, at: str, otherwise: tuple[str, ...] = ()) -> None:
        """Claim an edge by the first of its names that the schema has between such kinds, if it has any."""
        names = (name, *otherwise)
        key = (names, source.kind, source.presumed, target.kind, target.presumed)
        found = self._possible.get(key)
        if found is None:
            found = self._possible[key] = self._names_of(names, source, target)
        if found:
            self._edges.append(EdgeClaim(found[0], source.id, target.id, self.origins(at), found[1:]))
        else:
            message = f"`{names[-1]}` is not kept: the schema has no such edge from {source.kind} to {target.kind}"
            self.skip(message, at)

    def _names_of(self, names: tuple[str, ...], source: Thing, target: Thing) -> tuple[str, ...]:
        """Return the first name that fits; where a kind is only presumed, all that might fit once it is known."""
        if not source.presumed and not target.presumed:
            return tuple(name for name in names if self.fits(name, source, target))[:1]
        sources, targets = (
            [Thing(end.id, kind) for kind in (self.schema.kinds if end.presumed else (end.kind,))]
            for end in (source, target)
        )
        return tuple(name for name in names if any(self.fits(name, one, other) for one in sources for other in targets))

    def part_of(self, thing: Thing, whole: Thing, at: str) -> None:
        """Say that a thing stands inside another, by whichever edge the schema has for that."""
        fitting = (name for name in ("part_of", "component_of") if self.fits(name, thing, whole))
        if name := next(fitting, None):
            self.edge(name, thing, whole, at)
        else:
            self.edge("depends_on", whole, thing, at)

    def fits(self, name: str, source: Thing, target: Thing) -> bool:
        """Tell whether the schema has an edge of this name, or reverse name, between such kinds."""
        found = self.schema.edge_named(name)
        if found is None:
            return False
        edge, turned = found
        ends = (target.kind, source.kind) if turned else (source.kind, target.kind)
        return self.schema.connects(edge, *ends)

    # The result

    def skip(self, message: str, at: str, code: str = "PE3131") -> None:
        """Count what is not kept; it is told once, at its first place."""
        first, count = self._skipped.get((code, message), (at, 0))
        self._skipped[(code, message)] = (first, count + 1)

    def claims(self) -> Claims:
        """Return everything gathered."""
        nodes = self._with_own_aliases()
        for (code, message), (pointer, count) in self._skipped.items():
            times = f" ({count} times)" if count > 1 else ""
            self.shapes.report(code, f"{message}{times}", pointer)
        others = {source.name: source for named in self._attributed.values() for source in named}
        sources = (self.source, *others.values())
        problems = tuple(self.shapes.problems)
        return Claims(sources, False, nodes, tuple(self._attributes), tuple(self._edges), problems)

    def _with_own_aliases(self) -> tuple[NodeClaim, ...]:
        """Return the things without the aliases that several of them claim."""
        claimed: dict[str, str] = {claim.id: claim.id for claim in self._nodes}
        shared: set[str] = set()
        for claim in self._nodes:
            shared.update(alias for alias in claim.aliases if claimed.setdefault(alias, claim.id) != claim.id)
        if not shared:
            return tuple(self._nodes)
        kept = []
        for claim in self._nodes:
            left = tuple(alias for alias in claim.aliases if alias not in shared)
            if len(left) < len(claim.aliases):
                self.skip(
                    "a name that several things share identifies none of them", claim.origins[0].pointer, "PE3170"
                )
            kept.append(replace(claim, aliases=left))
        return tuple(kept)


def decimal(text: object) -> Decimal | None:
    """Return the number that a document writes as a text or a number; ``93%`` is 0.93.

    >>> decimal("0.5"), decimal("93%"), decimal("about 1")
    (Decimal('0.5'), Decimal('0.93'), None)
    """
    if isinstance(text, bool):
        return None
    if isinstance(text, int | Decimal):
        return Decimal(text)
    if not isinstance(text, str):
        return None
    plain = text.strip()
    number = plain.removesuffix("%").rstrip()
    if not _NUMBER.fullmatch(number):
        return None
    return Decimal(number).scaleb(-2) if plain.endswith("%") else Decimal(number)


def _typed(text: str, attribute: Attribute) -> object:
    of = attribute.type.item if isinstance(attribute.type, SetType) else attribute.type
    if of is Simple.BOOLEAN:
        return {"true": True, "false": False}.get(text.strip().casefold(), text)
    if of is Simple.INTEGER:
        return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text
    if of is Simple.NUMBER:
        return text if (number := decimal(text)) is None else number
    return text
