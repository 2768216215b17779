"""DataHub metadata files, of change events (MCE), change proposals (MCP) or both.

What becomes what:

- a dataset or feature table is a Dataset, an mlModel a Model, an mlFeature or mlPrimaryKey a Feature, an
  mlModelDeployment a Deployment, a dataJob or dataFlow a Pipeline, a dataProcessInstance a Run; whoever owns one of
  them a Person or OrgUnit; of anything else nothing is kept;
- upstream lineage is derivation, also that of columns; training data is what a model is trained on and evaluation data
  what it is tested on; the outputs of a job are derived from its inputs, and the job depends on them;
- tags, terms and custom properties that name an attribute become it, those of a column where they are true; what was
  removed is retired.

Of an aspect that is told twice the one observed later counts (``lastObserved``); what does not say when it was observed
stands where the file has it. A thing is its URN.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.datahub_items import Aspect, Entry, aspects, is_item, plain
from policy_engine.lineage.importers.flows import Pairs, comes_from
from policy_engine.lineage.importers.gathering import Gathering, Thing, decimal
from policy_engine.lineage.importers.labels import Labels
from policy_engine.lineage.importers.placeholders import filled
from policy_engine.lineage.located import step

_LOOKED_AT = 20  # of a list, to find out whether it is one of such items
_KINDS = {
    "dataset": "Dataset",
    "mlFeatureTable": "Dataset",
    "mlModel": "Model",
    "mlFeature": "Feature",
    "mlPrimaryKey": "Feature",
    "mlModelDeployment": "Deployment",
    "dataJob": "Pipeline",
    "dataFlow": "Pipeline",
    "dataProcessInstance": "Run",
}
_OWNERS = {"corpuser": "Person", "corpGroup": "OrgUnit"}
_NO_OWNER = frozenset({"CONSUMER", "STAKEHOLDER"})
# The aspects that name and describe things of each type.
_ABOUT = (
    "datasetProperties", "mlModelProperties", "mlFeatureProperties", "mlPrimaryKeyProperties",
    "mlFeatureTableProperties", "mlModelDeploymentProperties", "dataJobInfo", "dataFlowInfo",
    "dataProcessInstanceProperties",
)  # fmt: skip
_LAST_MILLISECOND = 253_402_300_799_000  # of the year 9999


@dataclass(frozen=True, slots=True)
class DataHubImporter:
    """Reads files of DataHub's metadata."""

    name: str = "datahub"
    sign: str = "a list of DataHub's metadata change events or proposals"

    def detects(self, document: Document) -> bool:
        """Tell whether a document is an item or a list with items near its beginning."""
        content = document.content
        return is_item(content) or (isinstance(content, list) and any(map(is_item, content[:_LOOKED_AT])))

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what the items assert."""
        return _Reading(Gathering(source, schema)).claims(document.content)


class _Reading:
    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._shapes = gathering.shapes
        self._labels = Labels(gathering)
        self._pairs_told = Pairs(gathering)
        self._told: dict[str, dict[str, Aspect]] = {}
        self._things: dict[str, Thing | None] = {}

    def claims(self, content: object) -> Claims:
        self._fold(content if isinstance(content, list) else [content])
        for urn, told in self._told.items():
            thing = None if _type(urn) in _OWNERS else self._thing(urn, next(iter(told.values())).at)
            if thing is not None:
                self._lineage(thing, told)
                self._owners(thing, told)
        for urn, told in self._told.items():
            if (thing := self._things.get(urn)) is not None:
                self._facts(thing, told)
        unused = [urn for urn in self._told if urn not in self._things]
        for urn in unused:  # people and groups that own nothing here
            self._not_kept(urn, next(iter(self._told[urn].values())).at)
        return self._gathering.claims()

    def _fold(self, items: list[object]) -> None:
        """Take the last of each aspect of each thing."""
        latest = observed = 0
        timed: list[tuple[int, Entry, str]] = []
        for number, item in enumerate(items):
            at = f"/{number}"
            if not isinstance(item, dict) or not is_item(item):
                self._gathering.skip("what is no item of DataHub among the items is not read", at, "PE3121")
                continue
            system, _ = self._shapes.part(item, "systemMetadata", at)
            told_at = system.get("lastObserved")
            if isinstance(told_at, int) and not isinstance(told_at, bool) and 0 < told_at <= _LAST_MILLISECOND:
                observed, latest = told_at, max(latest, told_at)
            timed.append((observed, item, at))
        for _, item, at in sorted(timed, key=lambda each: each[0]):
            for aspect in aspects(self._gathering, item, at):
                told = self._told.setdefault(aspect.urn, {})
                if not aspect.removed:
                    told[aspect.name] = aspect
                elif aspect.name == "" or aspect.name.endswith("Key"):
                    del self._told[aspect.urn]  # the thing itself was taken away
                elif told.pop(aspect.name, None) is None and not told:
                    del self._told[aspect.urn]
        self._told = {urn: told for urn, told in self._told.items() if told}
        if latest:
            when = datetime.fromtimestamp(latest // 1000, UTC)
            self._gathering.source = replace(self._gathering.source, asserted_at=when)

    # Things

    def _thing(self, urn: str, at: str) -> Thing | None:
        """Return the thing of a URN wherever it is named."""
        if urn not in self._things:
            kind = _KINDS.get(_type(urn)) or _OWNERS.get(_type(urn))
            if kind is None:
                self._not_kept(urn, at)
            self._things[urn] = thing = self._gathering.thing(urn, kind, at) if kind else None
            if thing is not None:
                self._named(thing, self._told.get(urn, {}), at)
        return self._things[urn]

    def _not_kept(self, urn: str, at: str) -> None:
        self._gathering.skip(f"things of DataHub of the type {_type(urn)} are not kept", at)

    def _named(self, thing: Thing, told: dict[str, Aspect], at: str) -> None:
        name: str | None = None
        for aspect, key in (
            ("corpUserInfo", "displayName"), ("corpUserInfo", "fullName"), ("corpGroupInfo", "displayName"),
            *((about, "name") for about in _ABOUT),
        ):  # fmt: skip
            found = told.get(aspect)
            name = name or (self._text(found.value, key, found.at) if found else None)
        self._gathering.attribute(thing, "name", name or _name_in(thing.id), at)
        user = told.get("corpUserInfo")
        if user is not None:
            self._gathering.attribute(thing, "active", user.value.get("active"), f"{user.at}/active")

    def _thing_under(self, of: Entry, key: str, at: str) -> Thing | None:
        urn = self._text(of, key, at)
        return self._thing(urn, at + step(key)) if urn else None

    def _things_under(self, of: Entry, key: str, at: str) -> Iterator[tuple[Thing, str]]:
        """Yield the things of a list of URNs, or of edges to URNs."""
        for raw, here in self._shapes.items(*plain(of, key, at)):
            urn = (raw.get("destinationUrn") or raw.get("string")) if isinstance(raw, dict) else raw
            if not isinstance(urn, str):
                self._shapes.wrong(raw, "a URN", here)
            elif (urn := filled(self._gathering, urn, here) or "") and (thing := self._thing(urn, here)):
                yield thing, here

    # Facts

    def _facts(self, thing: Thing, told: dict[str, Aspect]) -> None:
        for about in _ABOUT:
            if about in told:
                entry, at = told[about].value, told[about].at
                self._gathering.attribute(thing, "description", self._text(entry, "description", at), at)
                custom, here = self._shapes.part(entry, "customProperties", at)
                for key, value in custom.items():
                    self._labels.pair(thing, key, value, here + step(key))
        if "status" in told and told["status"].value.get("removed") is True:
            self._gathering.attribute(thing, "stage", "retired", f"{told['status'].at}/removed")
        for word, at in self._words(told):
            self._labels.word(thing, word, at)
        self._columns(thing, told)
        if thing.kind == "Model":
            self._facts_of_model(thing, told)
        if "mlModelDeploymentProperties" in told:
            entry, at = told["mlModelDeploymentProperties"].value, told["mlModelDeploymentProperties"].at
            created = entry.get("createdAt")
            if isinstance(created, int) and 0 < created <= _LAST_MILLISECOND:
                day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=created)).date()
                self._gathering.attribute(thing, "started_on", day.isoformat(), f"{at}/createdAt")
            self._version(thing, entry, at)

    def _words(self, aspects_or_field: dict[str, Aspect]) -> Iterator[tuple[str, str]]:
        """Yield the words of the tags and terms among aspects."""
        for aspect, key, word in (("globalTags", "tags", "tag"), ("glossaryTerms", "terms", "urn")):
            if aspect in aspects_or_field:
                found = aspects_or_field[aspect]
                for each, here in self._shapes.parts(found.value, key, found.at):
                    urn = self._text(each, word, here)
                    if urn:
                        # urn:li:tag:PII is PII; a term may stand below others, as in Classification.PII.
                        yield urn.rpartition(":")[2].rpartition(".")[2], here

    def _columns(self, thing: Thing, told: dict[str, Aspect]) -> None:
        for aspect, key in (("schemaMetadata", "fields"), ("editableSchemaMetadata", "editableSchemaFieldInfo")):
            if aspect not in told:
                continue
            for field, here in self._shapes.parts(told[aspect].value, key, told[aspect].at):
                labelled = {
                    name: Aspect(thing.id, name, *self._shapes.part(field, name, here))
                    for name in ("globalTags", "glossaryTerms")
                    if field.get(name)
                }
                for word, at in self._words(labelled):
                    self._labels.of_column(thing, word, True, at)

    def _facts_of_model(self, thing: Thing, told: dict[str, Aspect]) -> None:
        if "mlModelProperties" in told:
            entry, at = told["mlModelProperties"].value, told["mlModelProperties"].at
            self._gathering.attribute(thing, "architecture", self._text(entry, "type", at), f"{at}/type")
            self._version(thing, entry, at)
            for metric, here in self._shapes.parts(entry, "trainingMetrics", at):
                if self._text(metric, "name", here) == "accuracy":
                    self._gathering.attribute(thing, "declared_accuracy", decimal(metric.get("value")), here)
        limits = []
        if "intendedUse" in told:
            entry, at = told["intendedUse"].value, told["intendedUse"].at
            self._gathering.attribute(thing, "intended_use", self._lines(entry, "primaryUses", at), at)
            limits += [f"out of scope: {use}" for use in self._lines(entry, "outOfScopeUses", at)]
        if "mlModelCaveatsAndRecommendations" in told:
            entry, at = told["mlModelCaveatsAndRecommendations"].value, told["mlModelCaveatsAndRecommendations"].at
            caveats, here = self._shapes.part(entry, "caveats", at)
            limits += [text for text in (self._text(caveats, "caveatDescription", here),) if text]
        place = next((told[n].at for n in ("intendedUse", "mlModelCaveatsAndRecommendations") if n in told), "")
        self._gathering.attribute(thing, "limitations", limits, place)
        if "mlModelEthicalConsiderations" in told:
            entry, at = told["mlModelEthicalConsiderations"].value, told["mlModelEthicalConsiderations"].at
            self._gathering.attribute(thing, "ethics", self._lines(entry, "risksAndHarms", at), at)

    def _version(self, thing: Thing, entry: Entry, at: str) -> None:
        raw = entry.get("version")
        if isinstance(raw, dict):
            self._gathering.attribute(thing, "version", self._text(raw, "versionTag", f"{at}/version"), f"{at}/version")
        else:
            self._gathering.attribute(thing, "version", self._text(entry, "version", at), f"{at}/version")

    def _lines(self, of: Entry, key: str, at: str) -> list[str]:
        return [text for text, _ in self._shapes.texts(of, key, at)]

    # Edges

    def _owners(self, thing: Thing, told: dict[str, Aspect]) -> None:
        if "ownership" not in told:
            return
        for entry, here in self._shapes.parts(told["ownership"].value, "owners", told["ownership"].at):
            if self._text(entry, "type", here) not in _NO_OWNER:
                owner = self._thing_under(entry, "owner", here)
                if owner is not None:
                    self._gathering.edge("owned_by", thing, owner, here)

    def _lineage(self, thing: Thing, told: dict[str, Aspect]) -> None:
        readers = {
            "upstreamLineage": self._upstreams,
            "mlModelTrainingData": self._training_data,
            "mlModelEvaluationData": self._evaluation_data,
            "mlModelProperties": self._around_model,
            "mlFeatureProperties": self._sources,
            "mlPrimaryKeyProperties": self._sources,
            "mlFeatureTableProperties": self._features,
            "dataJobInfo": self._flow_of_job,
            "dataProcessInstanceRelationships": self._relations_of_run,
        }
        for name, read in readers.items():
            if name in told:
                read(thing, told[name].value, told[name].at)
        if thing.kind in ("Pipeline", "Run"):
            self._through(thing, told)

    def _upstreams(self, thing: Thing, entry: Entry, at: str) -> None:
        for upstream, here in self._shapes.parts(entry, "upstreams", at):
            self._derived(thing, self._thing_under(upstream, "dataset", here), here)
        seen: set[str] = set()
        for fine, here in self._shapes.parts(entry, "fineGrainedLineages", at):
            for field, place in self._shapes.texts(fine, "upstreams", here):
                dataset = _dataset_of(field)
                if dataset not in seen:
                    seen.add(dataset)
                    self._derived(thing, self._thing(dataset, place), place)

    def _training_data(self, thing: Thing, entry: Entry, at: str) -> None:
        for data, here in self._shapes.parts(entry, "trainingData", at):
            self._derived(thing, self._thing_under(data, "dataset", here), here)

    def _evaluation_data(self, thing: Thing, entry: Entry, at: str) -> None:
        for data, here in self._shapes.parts(entry, "evaluationData", at):
            dataset = self._thing_under(data, "dataset", here)
            if dataset is not None:
                self._gathering.edge("tested_on", thing, dataset, here)

    def _around_model(self, thing: Thing, entry: Entry, at: str) -> None:
        for feature, here in self._things_under(entry, "mlFeatures", at):
            self._derived(thing, feature, here)
        for job, here in self._things_under(entry, "trainingJobs", at):
            self._gathering.edge("produced_by", thing, job, here)
        for deployment, here in self._things_under(entry, "deployments", at):
            self._gathering.edge("deploys", deployment, thing, here)

    def _sources(self, thing: Thing, entry: Entry, at: str) -> None:
        for source, here in self._things_under(entry, "sources", at):
            self._derived(thing, source, here)

    def _features(self, thing: Thing, entry: Entry, at: str) -> None:
        for key in ("mlFeatures", "mlPrimaryKeys"):
            for feature, here in self._things_under(entry, key, at):
                self._derived(thing, feature, here)

    def _flow_of_job(self, thing: Thing, entry: Entry, at: str) -> None:
        flow = self._thing_under(entry, "flowUrn", at)
        if flow is None:
            inner = thing.id.partition("(")[2].rpartition(",")[0]
            flow = self._thing(inner, at) if _type(inner) == "dataFlow" else None
        if flow is not None:
            self._gathering.edge("step_of", thing, flow, at)

    def _relations_of_run(self, thing: Thing, entry: Entry, at: str) -> None:
        for key, edge in (("parentTemplate", "run_of"), ("parentInstance", "step_of")):
            other = self._thing_under(entry, key, at)
            if other is not None:
                self._gathering.edge(edge, thing, other, f"{at}/{key}")

    def _through(self, thing: Thing, told: dict[str, Aspect]) -> None:
        """Tell what goes into a job or run, what comes out, and that the one is made of the other."""
        used: list[tuple[Thing, str]] = []
        made: list[tuple[Thing, str]] = []
        for aspect, keys, into in (
            ("dataJobInputOutput", ("inputDatasets", "inputDatasetEdges", "inputDatajobs", "inputDatajobEdges"), used),
            ("dataJobInputOutput", ("outputDatasets", "outputDatasetEdges"), made),
            ("dataProcessInstanceInput", ("inputs", "inputEdges"), used),
            ("dataProcessInstanceOutput", ("outputs", "outputEdges"), made),
        ):
            for key in keys if aspect in told else ():
                into += self._things_under(told[aspect].value, key, told[aspect].at)
        for other, at in dict(used).items():
            self._gathering.edge("depends_on", thing, other, at)
        for other, at in dict(made).items():
            self._gathering.edge("produced_by", other, thing, at)
        data = [other for other in dict(used) if other.kind != "Pipeline"]
        if not self._pairs_told.fit(len(dict(made)), len(data), next(iter(told.values())).at):
            return
        for output, at in dict(made).items():
            for each in data:
                self._derived(output, each, at)

    def _derived(self, made: Thing, used: Thing | None, at: str) -> None:
        if used is not None and used != made:
            self._gathering.edge(comes_from(made.kind, used.kind), made, used, at)

    def _text(self, of: Entry, key: str, at: str) -> str | None:
        of, key, at = plain(of, key, at)
        return filled(self._gathering, self._shapes.text(of, key, at), at + step(key))


def _type(urn: str) -> str:
    """Return the type of thing that a URN names.

    >>> _type("urn:li:mlModel:(urn:li:dataPlatform:science,scorer,PROD)")
    'mlModel'
    """
    parts = urn.split(":", 3)
    return parts[2] if len(parts) == 4 and parts[:2] == ["urn", "li"] else "none"


def _name_in(urn: str) -> str:
    """Return the name that a URN holds: the second of its parts, or all of it if it has one.

    >>> _name_in("urn:li:dataset:(urn:li:dataPlatform:hive,sales.loans,PROD)"), _name_in("urn:li:corpuser:jdoe")
    ('sales.loans', 'jdoe')
    """
    key = urn.split(":", 3)[-1]
    if not key.startswith("("):
        return key
    parts = key.strip("()").split(",")
    return parts[-2] if len(parts) >= 3 and _type(urn) != "dataJob" else parts[-1]


def _dataset_of(field: str) -> str:
    """Return the dataset of a column's URN.

    >>> _dataset_of("urn:li:schemaField:(urn:li:dataset:(urn:li:dataPlatform:hive,loans,PROD),id)")
    'urn:li:dataset:(urn:li:dataPlatform:hive,loans,PROD)'
    """
    return field.removeprefix("urn:li:schemaField:(").rpartition(",")[0] if _type(field) == "schemaField" else field
