"""OpenLineage 1.x and 2.x: what ran, what went in and what came out, from a file of events.

What becomes what:

- a job is a Pipeline, a run a Run of it, and the parent of a run what it is a step of;
- a dataset is a Model where its ``datasetType`` is ``MODEL``, and a Dataset where that is a table or the like; else it
  is presumed to be a Dataset, until somebody else says what lies at its address;
- what comes out of a run is derived from what goes in: trained on it if a model comes out, fine-tuned from it if both
  are models; it is produced by the run and its job, and the run depends on what goes in. Column lineage and the
  lineage facet say the same of datasets;
- ``ownership``, ``version``, ``documentation``, ``tags``, ``sourceCodeLocation`` and ``dataQualityAssertions`` become
  attributes; a dataset that was dropped is retired, and one that was renamed is derived from what it was.

All documents are one log: events count in the order of their times, whichever file they stand in.

A dataset is ``openlineage:dataset:<namespace>#<name>`` and likewise a job; its symlinks and, where its namespace is
a URL, ``<namespace>/<name>`` are aliases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.flows import COMES_FROM, Pairs
from policy_engine.lineage.importers.gathering import Thing
from policy_engine.lineage.importers.labels import Labels
from policy_engine.lineage.importers.log_gathering import LogGathering
from policy_engine.lineage.importers.openlineage_events import Facets, Flow, Folding, Key, is_event
from policy_engine.lineage.importers.openlineage_said import Said, key_of, lineage_said
from policy_engine.lineage.importers.placeholders import filled

_LOOKED_AT = 20  # of a list, to find out whether it is one of events
_MODEL_TYPES = frozenset({"MODEL", "ML_MODEL", "MLMODEL"})
# What cannot hold a model; a file can.
_DATA_TYPES = frozenset({"TABLE", "VIEW", "MATERIALIZED_VIEW", "TOPIC", "STREAM"})


@dataclass(frozen=True, slots=True)
class OpenLineageImporter:
    """Reads files of OpenLineage events: one, a list, or one a line."""

    name: str = "openlineage"
    sign: str = "OpenLineage events, which hold `eventTime` and a `job` or `dataset`"

    def detects(self, document: Document) -> bool:
        """Tell whether a document is an event or a list with events near its beginning."""
        content = document.content
        return is_event(content) or (isinstance(content, list) and any(map(is_event, content[:_LOOKED_AT])))

    def claims_of_log(self, parts: Sequence[tuple[Document, Source]], schema: Schema) -> Claims:
        """Return what the events of all documents assert together."""
        return _Telling(LogGathering([source for _, source in parts], schema)).claims(
            [document.content for document, _ in parts]
        )


def node_id(kind: str, key: Key) -> str:
    """Return the id of a job or dataset; no two keys give one id.

    >>> node_id("dataset", ("s3://lake", "loans/2025"))
    'openlineage:dataset:s3://lake#loans/2025'
    """
    namespace = key[0].replace("%", "%25").replace("#", "%23")
    return f"openlineage:{kind}:{namespace}#{key[1]}"


def _address(key: Key) -> str:
    """Return where a dataset is, if its namespace is a URL; else a name that no other dataset has."""
    return f"{key[0].rstrip('/')}/{key[1].lstrip('/')}" if "://" in key[0] else node_id("dataset", key)


class _Telling:
    """Turns what the events said in the end into claims."""

    def __init__(self, gathering: LogGathering) -> None:
        self._gathering = gathering
        self._shapes = gathering.shapes
        self._labels = Labels(gathering)
        self._pairs_told = Pairs(gathering)
        self._folded = Folding(gathering)
        self._datasets: dict[Key, Thing | None] = {}
        self._jobs: dict[Key, Thing | None] = {}
        self._runs: dict[str, Thing | None] = {}
        self._edges: set[tuple[str, str, str]] = set()

    def claims(self, contents: list[object]) -> Claims:
        self._folded.fold(_listed(content, f"/{number}") for number, content in enumerate(contents))
        self._say_who()
        said = lineage_said(self._folded, self._shapes)
        self._tell_datasets()
        self._tell_jobs()
        self._tell_runs()
        for flow in self._folded.flows.values():
            self._flow(flow)
        for each in said:
            self._explicit(each)
        return self._gathering.claims()

    def _say_who(self) -> None:
        for number, sayer in enumerate(self._folded.sayers):
            producers = sorted(sayer.producers)
            more = f" and {len(producers) - 3} more" if len(producers) > 3 else ""
            self._gathering.said(number, ", ".join(producers[:3]) + more or None, sayer.latest)

    # Things

    def _tell_datasets(self) -> None:
        for keys in self._same_datasets():
            known = [self._folded.datasets[key] for key in keys if key in self._folded.datasets]
            ids = sorted(node_id("dataset", key) for key in keys if key in self._folded.datasets)
            names = {node_id("dataset", key) for key in keys} | {_address(key) for key in keys if "://" in key[0]}
            types = [each.facets["datasetType"] for each in known if "datasetType" in each.facets]
            words = [self._shapes.text(facet, "datasetType", at) or "" for facet, at in types]
            is_model, is_data = (any(word.upper() in of for word in words) for of in (_MODEL_TYPES, _DATA_TYPES))
            kind = "Model" if is_model else "Dataset"
            presumed = not is_model and not is_data
            thing = self._gathering.thing(ids[0], kind, known[0].at, tuple(sorted(names)), presumed=presumed)
            self._datasets.update(dict.fromkeys(keys, thing))
            if thing is not None:
                names_of = [key[1] for key in keys if node_id("dataset", key) == ids[0]]
                self._attribute(thing, "name", names_of[0], known[0].at)
                for each in known:
                    self._facts(thing, each)
                    self._facts_of_dataset(thing, each)

    def _same_datasets(self) -> list[list[Key]]:
        """Return the keys of the datasets, those together that have one address or that symlinks say are one."""
        group: dict[Key, list[Key]] = {key: [key] for key in self._folded.datasets}
        at_address: dict[str, Key] = {}
        for key, other in self._names_of_one():
            # By its address a dataset is the same with and without a slash at the beginning of its name.
            first = at_address.setdefault(_address(other), other)
            for each in (other, first):
                if group.setdefault(each, [each]) is not group[key]:
                    # The shorter list is added to the longer, so that long chains stay quick.
                    longer, shorter = sorted((group[key], group[each]), key=len, reverse=True)
                    longer += shorter
                    group.update(dict.fromkeys(shorter, longer))
        return list({id(keys): keys for keys in group.values()}.values())

    def _names_of_one(self) -> Iterator[tuple[Key, Key]]:
        """Yield each dataset with itself and with each of its symlinks."""
        for key, known in self._folded.datasets.items():
            yield key, key
            facet, at = known.facets.get("symlinks", ({}, ""))
            for link, _ in self._shapes.parts(facet, "identifiers", at):
                other = key_of(link)
                if other is not None:
                    yield key, other

    def _tell_jobs(self) -> None:
        for key, known in self._folded.jobs.items():
            thing = self._jobs[key] = self._gathering.thing(node_id("job", key), "Pipeline", known.at)
            if thing is not None:
                self._attribute(thing, "name", key[1], known.at)
                self._facts(thing, known)
                location, at = known.facets.get("sourceCodeLocation", ({}, ""))
                self._attribute(thing, "code", self._shapes.text(location, "url", at), f"{at}/url")
                self._attribute(thing, "version", self._shapes.text(location, "version", at), f"{at}/version")

    def _tell_runs(self) -> None:
        """Tell of runs, and whose steps they and their jobs are."""
        for run_id, run in self._folded.runs.items():
            at = run.known.at
            thing = self._runs[run_id] = self._gathering.thing(f"openlineage:run:{run_id}", "Run", at)
            if thing is None:
                continue
            self._attribute(thing, "outcome", run.outcome.lower() if run.outcome else None, at)
            self._attribute(thing, "started_at", run.started, at)
            self._attribute(thing, "ended_at", run.ended, at)
            self._facts(thing, run.known)
        for run_id, run in self._folded.runs.items():
            thing = self._runs[run_id]
            job = self._jobs.get(run.job) if run.job else None
            self._edge("run_of", thing, job, run.known.at)
            parent, at = run.known.facets.get("parent", ({}, ""))
            parent_run, here = self._shapes.part(parent, "run", at)
            parent_id = parent_run.get("runId")
            self._edge("step_of", thing, self._runs.get(parent_id) if isinstance(parent_id, str) else None, here)
        for (step, whole), at in self._folded.parents.items():
            self._edge("step_of", self._jobs[step], self._jobs[whole], at)

    # Facts

    def _facts(self, thing: Thing, known: Facets) -> None:
        """Tell what the facets say that jobs, runs and datasets share."""
        facet, at = known.facets.get("documentation", ({}, ""))
        self._attribute(thing, "description", self._shapes.text(facet, "description", at), f"{at}/description")
        facet, at = known.facets.get("ownership", ({}, ""))
        owners = {self._shapes.text(owner, "name", here) for owner, here in self._shapes.parts(facet, "owners", at)}
        self._attribute(thing, "owner", ", ".join(sorted(name for name in owners if name)) or None, f"{at}/owners")
        facet, at = known.facets.get("tags", ({}, ""))
        for tag, here in self._shapes.parts(facet, "tags", at):
            key, value = (self._shapes.text(tag, name, here) for name in ("key", "value"))
            if not key:
                continue
            if tag.get("field") is not None:
                self._labels.of_column(thing, key, value, here)
            elif value is None:
                self._labels.word(thing, key, here)
            else:
                self._labels.pair(thing, key, value, here)

    def _facts_of_dataset(self, thing: Thing, known: Facets) -> None:
        facet, at = known.facets.get("version", ({}, ""))
        self._attribute(thing, "version", self._shapes.text(facet, "datasetVersion", at), f"{at}/datasetVersion")
        facet, at = known.facets.get("lifecycleStateChange", ({}, ""))
        if self._shapes.text(facet, "lifecycleStateChange", at) == "DROP":
            self._attribute(thing, "stage", "retired", f"{at}/lifecycleStateChange")
        facet, at = known.facets.get("dataQualityAssertions", ({}, ""))
        checks = list(self._shapes.parts(facet, "assertions", at))
        if checks and thing.kind == "Dataset":
            failed = sum(check.get("success") is not True for check, _ in checks)
            self._attribute(thing, "checks_run", len(checks), f"{at}/assertions")
            self._attribute(thing, "checks_failed", failed, f"{at}/assertions")

    def _attribute(self, thing: Thing, name: str, raw: object, at: str) -> None:
        value = filled(self._gathering, raw, at) if isinstance(raw, str) else raw
        if value is not None:
            self._gathering.attribute(thing, name, value, at)
            self._labels.given(thing, name)

    # Edges

    def _flow(self, flow: Flow) -> None:
        run = self._runs.get(flow.run) if flow.run else None
        job = self._jobs.get(flow.job) if flow.job else None
        for key, at in flow.outputs.items():
            self._edge("produced_by", self._datasets[key], run, at)
            self._edge("produced_by", self._datasets[key], job, at)
        # Not every pair of output and input may be kept below, so the way through the run is there besides.
        for key, at in flow.inputs.items():
            self._edge("depends_on", run or job, self._datasets[key], at)
        if not self._pairs_told.fit(len(flow.outputs), len(flow.inputs), flow.at):
            return
        for made, at in flow.outputs.items():
            for used in flow.inputs:
                self._comes_from(self._datasets[made], self._datasets[used], at)

    def _explicit(self, said: Said) -> None:
        made, used = ((self._jobs if end.is_job else self._datasets).get(end.key) for end in (said.made, said.used))
        if said.used.is_job and not said.made.is_job:
            self._edge("produced_by", made, used, said.at)
        else:
            self._comes_from(made, used, said.at)

    def _comes_from(self, made: Thing | None, used: Thing | None, at: str) -> None:
        self._edge(COMES_FROM[0], made, used, at, COMES_FROM[1:])

    def _edge(
        self, name: str, source: Thing | None, target: Thing | None, at: str, otherwise: tuple[str, ...] = ()
    ) -> None:
        """Tell an edge once, however many runs say so; what comes out where it went in has changed in place."""
        if source is None or target is None or source == target:
            return
        if (name, source.id, target.id) not in self._edges:
            self._edges.add((name, source.id, target.id))
            self._gathering.edge(name, source, target, at, otherwise)


def _listed(content: object, at: str) -> Iterator[tuple[object, str]]:
    if not isinstance(content, list):
        yield content, at
        return
    for number, event in enumerate(content):
        yield event, f"{at}/{number}"
