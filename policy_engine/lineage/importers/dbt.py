"""dbt manifests (``target/manifest.json``), versions 2 to 12: what data is made of what, and which AI feeds on it.

What becomes what:

- a model, seed, snapshot, source, metric, semantic model or saved query is a Dataset, derived from what it depends on;
- an exposure of the type ``ml`` is a System that feeds on what it depends on; other exposures are not kept;
- ``description``, ``version``, the owner of its group or exposure, and each key of ``meta`` and each tag that names an
  attribute become attributes, those of a column where they are true;
- tests, macros and documentation are no data, and are counted where they are nodes.

A thing is ``dbt:<unique_id>``. What it is in its warehouse, such as ``snowflake:db.schema.table``, is an alias.
"""

import re
from dataclasses import dataclass

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.binding import describe
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.gathering import Gathering, Thing
from policy_engine.lineage.importers.labels import Labels
from policy_engine.lineage.importers.placeholders import filled
from policy_engine.lineage.located import step

VERSIONS = range(2, 13)
_SCHEMA_VERSION = re.compile(r"/manifest/v([0-9]{1,4})\.json\Z")
_DATA = frozenset({"model", "seed", "snapshot", "source", "metric", "semantic_model", "saved_query"})
_SECTIONS = ("nodes", "sources", "metrics", "semantic_models", "saved_queries")
# A part of a name in SQL: quoted as one of the warehouses does, or bare.
_NAME_PART = re.compile(r'"((?:[^"]|"")+)"|`([^`]+)`|\[([^\]]+)\]|([^."`\[\]]+)')

_Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class DbtImporter:
    """Reads manifests of dbt."""

    name: str = "dbt"
    sign: str = "a manifest of dbt, which holds `metadata.dbt_schema_version`"

    def detects(self, document: Document) -> bool:
        """Tell whether a document is a manifest of dbt, and no other artefact of it."""
        metadata = document.content.get("metadata") if isinstance(document.content, dict) else None
        version = metadata.get("dbt_schema_version") if isinstance(metadata, dict) else None
        return isinstance(version, str) and "/manifest/" in version

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what a manifest asserts."""
        manifest = document.content if isinstance(document.content, dict) else {}
        return _Reading(manifest, Gathering(source, schema)).claims()


@dataclass(frozen=True, slots=True)
class _Kept:
    """A thing that is kept, with its entry and the entry's place."""

    thing: Thing
    entry: _Entry
    at: str


class _Reading:
    def __init__(self, manifest: _Entry, gathering: Gathering) -> None:
        self._manifest = manifest
        self._gathering = gathering
        self._shapes = gathering.shapes
        self._labels = Labels(gathering)
        self._adapter: str | None = None
        self._kept: dict[str, _Kept] = {}
        self._missing: dict[str, Thing | None] = {}

    def claims(self) -> Claims:
        self._head()
        for section in _SECTIONS:
            entries, here = self._shapes.part(self._manifest, section, "")
            for key in entries:
                self._data(key, *self._shapes.part(entries, key, here))
        exposures, here = self._shapes.part(self._manifest, "exposures", "")
        for key in exposures:
            self._exposure(key, *self._shapes.part(exposures, key, here))
        parents, parents_at = self._shapes.part(self._manifest, "parent_map", "")
        for key, kept in self._kept.items():
            depends, here = self._shapes.part(kept.entry, "depends_on", kept.at)
            if "nodes" in depends:
                self._depend(kept, list(self._shapes.texts(depends, "nodes", here)))
            else:
                self._depend(kept, list(self._shapes.texts(parents, key, parents_at)))
        return self._gathering.claims()

    def _head(self) -> None:
        metadata, at = self._shapes.part(self._manifest, "metadata", "")
        written = self._text(metadata, "dbt_schema_version", at) or ""
        version = _SCHEMA_VERSION.search(written)
        if version is None or int(version[1]) not in VERSIONS:
            message = f"the version of the manifest is {describe(written)}; it is read as version {VERSIONS[-1]}"
            self._shapes.report("PE3123", message, f"{at}/dbt_schema_version")
        self._adapter = self._text(metadata, "adapter_type", at)
        project, release = (self._text(metadata, key, at) for key in ("project_name", "dbt_version"))
        by = f"dbt {release}" if release else None
        self._gathering.stated(f"{project} ({by})" if project and by else project or by, None, at)
        self._gathering.stated(None, metadata.get("generated_at"), f"{at}/generated_at")

    # Things

    def _data(self, key: str, entry: _Entry, at: str) -> None:
        kind = self._text(entry, "resource_type", at) or key.partition(".")[0]
        if kind not in _DATA:
            self._gathering.skip(f"things of dbt of the type {kind} are not kept", at)
            return
        relation = self._relation(entry, at)
        thing = self._gathering.thing(_id(key), "Dataset", at, (relation,) if relation else ())
        if thing is not None:
            self._kept[key] = _Kept(thing, entry, at)
            self._facts(thing, entry, at)
            group = self._text(entry, "group", at)
            if group and not self._labels.is_given(thing, "owner"):
                self._owner_of_group(thing, entry, group, at)

    def _exposure(self, key: str, entry: _Entry, at: str) -> None:
        kind = self._text(entry, "type", at)
        if kind != "ml":
            self._gathering.skip(f"exposures of the type {kind} are not kept", at)
            return
        url = self._text(entry, "url", at)
        thing = self._gathering.thing(_id(key), "System", at, (url,) if url else ())
        if thing is not None:
            self._kept[key] = _Kept(thing, entry, at)
            self._owner(thing, entry, at)
            self._facts(thing, entry, at)

    def _relation(self, entry: _Entry, at: str) -> str | None:
        """Return the name in the warehouse, of which only one with its database is told apart from others."""
        written = self._text(entry, "relation_name", at)
        if not written or not self._adapter:
            return None
        parts = ["".join(found.groups("")).replace('""', '"') for found in _NAME_PART.finditer(written)]
        return f"{self._adapter}:{'.'.join(parts)}" if len(parts) >= 3 else None

    # Facts

    def _facts(self, thing: Thing, entry: _Entry, at: str) -> None:
        for name, key in (("name", "label" if entry.get("label") else "name"), ("description", "description")):
            self._gathering.attribute(thing, name, self._text(entry, key, at), f"{at}/{key}")
        version = entry.get("version")
        if isinstance(version, int) and not isinstance(version, bool):
            version = str(version)  # of a version dbt takes a number too
        self._gathering.attribute(thing, "version", version, f"{at}/version")
        config, config_at = self._shapes.part(entry, "config", at)
        for of, here in ((config, config_at), (entry, at)):
            meta, place = self._shapes.part(of, "meta", here)
            for key, value in meta.items():
                if key == "owner" and isinstance(value, dict):
                    self._owner(thing, meta, place)
                elif not isinstance(value, dict):
                    self._labels.pair(thing, key, value, place + step(key))
            for tag, place in self._tags(of, here):
                self._labels.word(thing, tag, place)
        columns, here = self._shapes.part(entry, "columns", at)
        for name in columns:
            self._column(thing, *self._shapes.part(columns, name, here))

    def _column(self, thing: Thing, column: _Entry, at: str) -> None:
        config, config_at = self._shapes.part(column, "config", at)
        for of, here in ((config, config_at), (column, at)):
            meta, place = self._shapes.part(of, "meta", here)
            for key, value in meta.items():
                self._labels.of_column(thing, key, value, place + step(key))
            for tag, place in self._tags(of, here):
                self._labels.of_column(thing, tag, True, place)

    def _tags(self, of: _Entry, at: str) -> list[tuple[str, str]]:
        raw = of.get("tags")
        return [(raw, f"{at}/tags")] if isinstance(raw, str) else list(self._shapes.texts(of, "tags", at))

    def _owner_of_group(self, thing: Thing, entry: _Entry, group: str, at: str) -> None:
        groups, here = self._shapes.part(self._manifest, "groups", "")
        package = self._text(entry, "package_name", at) or ""
        found = groups.get(f"group.{package}.{group}")
        if isinstance(found, dict):
            self._owner(thing, found, here + step(f"group.{package}.{group}"))
        else:
            self._shapes.report("PE3130", f"the group `{group}` is not in this document", f"{at}/group")

    def _owner(self, thing: Thing, of: _Entry, at: str) -> None:
        owner, here = self._shapes.part(of, "owner", at)
        name, email = self._text(owner, "name", here), owner.get("email")
        emails = [email] if isinstance(email, str) else [each for each, _ in self._shapes.texts(owner, "email", here)]
        if told := name or ", ".join(emails):
            self._gathering.attribute(thing, "owner", told, here)
            self._labels.given(thing, "owner")

    # Edges

    def _depend(self, kept: _Kept, on: list[tuple[str, str]]) -> None:
        for key, at in on:
            if key in self._kept:
                target: Thing | None = self._kept[key].thing
            elif key.partition(".")[0] in _DATA:
                target = self._unknown(key, at)
            else:
                continue  # a test or a macro, which is no data
            if target is not None and target != kept.thing:
                self._gathering.edge(
                    "feeds_on" if kept.thing.kind == "System" else "derived_from", kept.thing, target, at
                )

    def _unknown(self, key: str, at: str) -> Thing | None:
        """Keep data that is referred to and not there: leaving it out would make what is made of it look cleaner."""
        if key not in self._missing:
            message = f"`{key}` is not in this document; it is kept as an unknown dataset"
            self._shapes.report("PE3130", message, at)
            self._missing[key] = self._gathering.thing(_id(key), "Dataset", at)
        return self._missing[key]

    def _text(self, of: _Entry, key: str, at: str) -> str | None:
        return filled(self._gathering, self._shapes.text(of, key, at), at + step(key))


def _id(unique_id: str) -> str:
    return f"dbt:{unique_id}"
