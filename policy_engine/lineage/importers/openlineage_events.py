"""The events of OpenLineage folded into what they say in the end: of jobs, runs and datasets, each once.

Rules, by the OpenLineage specification 2-0-2:

- events count in the order of their times, over all documents; of one time, in the order in which documents and events
  stand; a later facet takes the place of an earlier one of its name, and one with ``_deleted`` takes it away;
- what goes into a run and comes out of it may be spread over its events: it is put together;
- a run without a usable id, and a job event, belong to their job alone;
- a name is missing where a template was not filled in.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from policy_dsl.typed.types import Simple
from policy_engine.lineage.binding import read_value
from policy_engine.lineage.importers.gathering import Gathering
from policy_engine.lineage.importers.placeholders import filled
from policy_engine.lineage.importers.shapes import Shapes
from policy_engine.lineage.located import step

Key = tuple[str, str]
"""The namespace and the name of a job or dataset."""

Entry = dict[str, object]

_FRACTION = re.compile(r"\.([0-9]+)")
_ENDED = frozenset({"COMPLETE", "ABORT", "FAIL"})


@dataclass(slots=True)
class Facets:
    """What is known of a thing: its facets by name, each with its place, and where the thing is named first."""

    at: str
    facets: dict[str, tuple[Entry, str]] = field(default_factory=dict)

    def take(self, found: Entry, at: str, shapes: Shapes) -> None:
        """Put the facets of a later event in the place of earlier ones."""
        for name, raw in found.items():
            if raw is None:
                continue
            here = at + step(name)
            facet = shapes.mapping(raw, here)
            if facet is None:
                continue
            if facet.get("_deleted") is True:
                self.facets.pop(name, None)
            else:
                self.facets[name] = (facet, here)


@dataclass(slots=True)
class Flow:
    """What went into a run, or a job when no run is known, and what came out, each with its place."""

    at: str
    job: Key | None
    run: str | None
    inputs: dict[Key, str] = field(default_factory=dict)
    outputs: dict[Key, str] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    """What is known of a run besides its flow."""

    known: Facets
    job: Key | None
    outcome: str | None = None
    started: str | None = None
    ended: str | None = None


@dataclass(slots=True)
class _Timed:
    """An event with its place, its time where that is usable, what orders it, and the producers of its document."""

    order: tuple[datetime, str]
    event: Entry
    at: str
    time: str | None
    by: set[str]


@dataclass(slots=True)
class Sayer:
    """Who wrote the events of one document, and the time of the latest."""

    producers: set[str] = field(default_factory=set)
    latest: datetime | None = None


class Folding:
    """Takes the events of the documents of one log."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._shapes = gathering.shapes
        self.jobs: dict[Key, Facets] = {}
        self.datasets: dict[Key, Facets] = {}
        self.runs: dict[str, Run] = {}
        self.parents: dict[tuple[Key, Key], str] = {}
        self.flows: dict[tuple[Key | None, str | None], Flow] = {}
        self.sayers: list[Sayer] = []

    def fold(self, documents: Iterable[Iterable[tuple[object, str]]]) -> None:
        """Take the events of all documents, in the order of their times."""
        timed = [each for events in documents for each in self._timed(events)]
        timed.sort(key=lambda each: each.order)
        for each in timed:
            self._event(each)

    def _timed(self, events: Iterable[tuple[object, str]]) -> Iterator[_Timed]:
        sayer = Sayer()
        self.sayers.append(sayer)
        order = (datetime.min.replace(tzinfo=UTC), "")
        for raw, at in events:
            if not isinstance(raw, dict) or not is_event(raw):
                self._gathering.skip("what is no event among the events is not read", at, "PE3121")
                continue
            found = self._order(raw, at)
            if found is not None:
                order = found  # an event without a usable time stands where its file has it
                sayer.latest = found[0] if sayer.latest is None else max(sayer.latest, found[0])
            yield _Timed(order, raw, at, str(raw["eventTime"]) if found else None, sayer.producers)

    def _order(self, event: Entry, at: str) -> tuple[datetime, str] | None:
        raw = event.get("eventTime")
        when = read_value(raw, Simple.INSTANT)
        if not isinstance(when, datetime):
            message = "an event time that is no instant with its offset from UTC counts as missing"
            self._gathering.skip(message, f"{at}/eventTime", "PE3121")
            return None
        fraction = _FRACTION.search(raw) if isinstance(raw, str) else None
        return when, fraction[1].rstrip("0") if fraction else ""

    def _event(self, timed: _Timed) -> None:
        event, at = timed.event, timed.at
        producer = filled(self._gathering, self._shapes.text(event, "producer", at), f"{at}/producer")
        if producer:
            timed.by.add(producer)
        if event.get("job") is None:
            if event.get("dataset") is not None:
                dataset, here = self._shapes.part(event, "dataset", at)
                self.dataset(dataset, here)
            return
        job, here = self._shapes.part(event, "job", at)
        key = self.job(job, here)
        run = self._run(event, key, at, timed.time)
        if key is None and run is None:
            # Of an event that names neither, only its own inputs and outputs belong together.
            flow = self.flows[(None, at)] = Flow(at, None, None)
        else:
            flow = self.flows.setdefault((None if run else key, run), Flow(at, key, run))
        for name, into in (("inputs", flow.inputs), ("outputs", flow.outputs)):
            for dataset, place in self._shapes.parts(event, name, at):
                found = self.dataset(dataset, place)
                if found is not None:
                    into.setdefault(found, place)

    def job(self, job: Entry, at: str) -> Key | None:
        """Take a job wherever it is named."""
        return self._named(job, at, self.jobs, "job")

    def dataset(self, dataset: Entry, at: str) -> Key | None:
        """Take a dataset wherever it is named."""
        key = self._named(dataset, at, self.datasets, "dataset")
        if key is not None:
            for name in ("inputFacets", "outputFacets"):
                if dataset.get(name):
                    self.datasets[key].take(*self._shapes.part(dataset, name, at), self._shapes)
        return key

    def _named(self, entry: Entry, at: str, known: dict[Key, Facets], kind: str) -> Key | None:
        namespace = filled(self._gathering, self._shapes.text(entry, "namespace", at), at)
        name = filled(self._gathering, self._shapes.text(entry, "name", at), at)
        if not namespace or not name:
            self._gathering.skip(f"a {kind} without `namespace` and `name` is not kept", at, "PE3120")
            return None
        found = known.setdefault((namespace, name), Facets(at))
        if entry.get("facets"):
            found.take(*self._shapes.part(entry, "facets", at), self._shapes)
        return namespace, name

    def _run(self, event: Entry, job: Key | None, at: str, time: str | None) -> str | None:
        entry, here = self._shapes.part(event, "run", at)
        self._parent(entry, job, here)
        run_id = filled(self._gathering, self._shapes.text(entry, "runId", here), here)
        if not run_id:
            return None
        run = self.runs.setdefault(run_id, Run(Facets(here), job))
        run.job = run.job or job
        if entry.get("facets"):
            run.known.take(*self._shapes.part(entry, "facets", here), self._shapes)
        kind = self._shapes.text(event, "eventType", at)
        if kind == "START":
            run.started = run.started or time
        if kind in _ENDED:
            run.outcome, run.ended = kind, time
        return run_id

    def _parent(self, run: Entry, job: Key | None, at: str) -> None:
        """Take the parent of a run and whose step its job is; a run without a usable id tells that of its job too."""
        facets, at = self._shapes.part(run, "facets", at)
        parent, here = self._shapes.part(facets, "parent", at)
        if parent.get("job") is None:
            return
        parent_job = self.job(*self._shapes.part(parent, "job", here))
        if job is not None and parent_job is not None:
            self.parents.setdefault((job, parent_job), here)
        of_run, place = self._shapes.part(parent, "run", here)
        run_id = filled(self._gathering, self._shapes.text(of_run, "runId", place), place)
        if run_id:
            known = self.runs.setdefault(run_id, Run(Facets(place), parent_job))
            known.job = known.job or parent_job


def is_event(content: object) -> bool:
    """Tell whether something is an event, as opposed to a facet or anything else."""
    if not isinstance(content, dict):
        return False
    about = content.get("job") or content.get("dataset")
    signs = ("eventTime", "eventType", "producer", "schemaURL")
    return isinstance(about, dict) and "namespace" in about and any(key in content for key in signs)
