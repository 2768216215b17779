"""What OpenLineage facets say of lineage in so many words: ``columnLineage``, ``lineage`` and a rename.

Columns are gathered up: where one column comes from is where its dataset comes from. In the ``lineage`` facet of a job
an entry may name jobs, and a job without a name is the one that has the facet.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from policy_engine.lineage.importers.openlineage_events import Entry, Facets, Folding, Key
from policy_engine.lineage.importers.placeholders import is_placeholder
from policy_engine.lineage.importers.shapes import Shapes


@dataclass(frozen=True, slots=True)
class End:
    """A job or a dataset, by its key."""

    is_job: bool
    key: Key


@dataclass(frozen=True, slots=True)
class Said:
    """One thing comes from another, and where it says so."""

    made: End
    used: End
    at: str


def lineage_said(folded: Folding, shapes: Shapes) -> list[Said]:
    """Return what facets say in so many words, each pair once, and take what only they name into ``folded``."""
    found: dict[tuple[End, End], Said] = {}
    for each in [*_of_datasets(folded, shapes), *_of_jobs(folded, shapes)]:
        found.setdefault((each.made, each.used), each)
    for each in found.values():
        for end in (each.made, each.used):
            (folded.jobs if end.is_job else folded.datasets).setdefault(end.key, Facets(each.at))
    return list(found.values())


def key_of(entry: Entry) -> Key | None:
    """Return the key of a job or dataset, if it has one."""
    namespace, name = entry.get("namespace"), entry.get("name")
    if not isinstance(namespace, str) or not isinstance(name, str) or not namespace or not name:
        return None
    return None if is_placeholder(namespace) or is_placeholder(name) else (namespace, name)


def _of_datasets(folded: Folding, shapes: Shapes) -> Iterator[Said]:
    for key, known in folded.datasets.items():
        made = End(False, key)
        columns, at = known.facets.get("columnLineage", ({}, ""))
        for column, here in _fields(columns, at, shapes):
            yield from _inputs(made, column, "inputFields", here, shapes, None)
        yield from _inputs(made, columns, "dataset", at, shapes, None)
        lineage, at = known.facets.get("lineage", ({}, ""))
        yield from _entry(made, lineage, at, shapes, None)
        change, at = known.facets.get("lifecycleStateChange", ({}, ""))
        before, here = shapes.part(change, "previousIdentifier", at)
        before_key = key_of(before)
        if before_key is not None:
            yield Said(made, End(False, before_key), here)


def _of_jobs(folded: Folding, shapes: Shapes) -> Iterator[Said]:
    for key, known in folded.jobs.items():
        lineage, at = known.facets.get("lineage", ({}, ""))
        for entry, here in shapes.parts(lineage, "entries", at):
            made = _end(entry, key)
            if made is not None:
                yield from _entry(made, entry, here, shapes, key)


def _entry(made: End, entry: Entry, at: str, shapes: Shapes, job: Key | None) -> Iterator[Said]:
    yield from _inputs(made, entry, "inputs", at, shapes, job)
    for column, here in _fields(entry, at, shapes):
        yield from _inputs(made, column, "inputs", here, shapes, job)


def _fields(of: Entry, at: str, shapes: Shapes) -> Iterator[tuple[Entry, str]]:
    fields, here = shapes.part(of, "fields", at)
    for name in fields:
        yield shapes.part(fields, name, here)


def _inputs(made: End, of: Entry, key: str, at: str, shapes: Shapes, job: Key | None) -> Iterator[Said]:
    for entry, here in shapes.parts(of, key, at):
        used = _end(entry, job)
        if used is not None:
            yield Said(made, used, here)


def _end(entry: Entry, job: Key | None) -> End | None:
    is_job = entry.get("type") == "JOB"
    key = key_of(entry) or (job if is_job else None)
    return End(is_job, key) if key is not None else None
