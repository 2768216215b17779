"""MLflow in JSON: an export made by `policy-engine import mlflow`, or answers of its REST interface kept in files.

What becomes what:

- a version of a registered model is a Model, or a Prompt where MLflow marks it as one; so is a logged model that no
  version is made of;
- a run is a Run and an experiment a Pipeline: a model is ``produced_by`` them;
- the inputs of a run are Datasets, by name and digest: what it was given for training is what its models are
  ``trained_on``, and so for validation and evaluation; data without a purpose count as training data;
- metrics of a run are measures of its models; aliases of versions are ``release_names``, since they move;
- tags that name an attribute give it; those of a registered model hold for each version that does not say otherwise.

Lists of keys and values, as REST writes them, and mappings, as the Python client does, are the same. Answers that do
not say of which server they are count as answers of one server.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.embedded import embedded
from policy_engine.lineage.importers.flows import Pairs
from policy_engine.lineage.importers.gathering import Gathering, Thing
from policy_engine.lineage.importers.labels import Labels
from policy_engine.lineage.importers.measures import Measure, declare
from policy_engine.lineage.located import step

VERSION = 1
EXPORT = "mlflow_export"
_KEYS = {
    "experiments": "experiment",
    "registered_models": "registered_model",
    "model_versions": "model_version",
    "runs": "run",
    "logged_models": "logged_model",
    "models": "model",
}
_IS_PROMPT = "mlflow.prompt.is_prompt"
_CONTEXT = "mlflow.data.context"
_PURPOSES = {
    "training": "trained_on",
    "train": "trained_on",
    "validation": "validated_on",
    "val": "validated_on",
    "evaluation": "tested_on",
    "eval": "tested_on",
    "testing": "tested_on",
    "test": "tested_on",
}
_STAGES = {"Staging": "staging", "Production": "production", "Archived": "retired"}

_Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class MlflowExportImporter:
    """Reads exports of MLflow."""

    name: str = "mlflow"
    sign: str = f"an export of MLflow, which holds `{EXPORT}`, or an answer of its REST interface"

    def detects(self, document: Document) -> bool:
        """Tell whether a document is an export, an answer of the REST interface, or a list of answers."""
        content = document.content
        entries = content if isinstance(content, list) else [content]
        return bool(entries) and all(isinstance(entry, dict) and _is_answer(entry) for entry in entries)

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what an export asserts."""
        reading = _Reading(Gathering(source, schema))
        content = document.content
        for number, entry in enumerate(content if isinstance(content, list) else ()):
            reading.take(entry, f"/{number}")
        if isinstance(content, dict):
            reading.take(content, "")
        return reading.claims()


def _is_answer(entry: _Entry) -> bool:
    if EXPORT in entry:
        return True
    listed = [(entry[one], one) for many, one in _KEYS.items() if one in entry]
    for many, one in _KEYS.items():
        found = entry.get(many)
        if isinstance(found, list) and found:
            listed.append((found[0], one))
    return any(isinstance(found, dict) and _has_shape(found, kind) for found, kind in listed) or _has_shape(
        entry, "run"
    )


def _has_shape(entity: _Entry, kind: str) -> bool:
    info = entity.get("info")
    match kind:
        case "experiment":
            return "experiment_id" in entity
        case "registered_model":
            return "name" in entity and ("creation_timestamp" in entity or "latest_versions" in entity)
        case "model_version":
            return "name" in entity and "version" in entity and ("run_id" in entity or "creation_timestamp" in entity)
        case "run":
            return isinstance(info, dict) and "run_id" in info
        case _:
            return isinstance(info, dict) and "model_id" in info


@dataclass(frozen=True, slots=True)
class _Used:
    """A dataset that a run was given: for which purpose, if it says."""

    thing: Thing
    edge: str
    at: str


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run says of the models that come out of it, or go into it."""

    thing: Thing | None
    experiment: str | None
    used: tuple[_Used, ...]
    measures: tuple[Measure, ...]
    takes: tuple[tuple[str, str], ...]
    gives: tuple[tuple[str, str], ...]


class _Reading:
    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._shapes = gathering.shapes
        self._labels = Labels(gathering)
        self._pairs_told = Pairs(gathering)
        self._server = ""
        self._found: dict[str, list[tuple[_Entry, str]]] = {one: [] for one in _KEYS.values()}
        self._experiments: dict[str, Thing] = {}
        self._runs: dict[str, _Run] = {}
        # Logged models by their id, each the version that is made of it where there is exactly one.
        self._logged: dict[str, Thing] = {}
        self._fed: set[str] = set()
        # By the id of a logged model the run that made it, and where that is said.
        self._made_by: dict[str, tuple[str, str]] = {}

    def take(self, answer: _Entry, at: str) -> None:
        """Take the entities of one answer or export."""
        if EXPORT in answer:
            self._head(answer, at)
        for many, one in _KEYS.items():
            self._found[one] += self._shapes.parts(answer, many, at) if many in answer else ()
            if answer.get(one) is not None:
                self._found[one].append(self._shapes.part(answer, one, at))
        if "info" in answer:
            self._found["run"].append((answer, at))

    def claims(self) -> Claims:
        for entity, at in self._found["experiment"]:
            self._experiment(entity, at)
        for entity, at in self._found["run"]:
            self._run(entity, at)
        self._find_makers()
        self._versions()
        for entity, at in (*self._found["logged_model"], *self._found["model"]):
            self._logged_model(entity, at)
        self._evaluations()
        return self._gathering.claims()

    def _head(self, answer: _Entry, at: str) -> None:
        if answer.get(EXPORT) != VERSION or isinstance(answer.get(EXPORT), bool):
            message = f"the version of the export is not known; it is read as {VERSION}"
            self._shapes.report("PE3123", message, at + step(EXPORT))
        self._server = (self._shapes.text(answer, "tracking_uri", at) or "").rstrip("/")
        self._gathering.stated(self._server or None, answer.get("exported_at"), f"{at}/exported_at")

    # Experiments and runs

    def _experiment(self, entity: _Entry, at: str) -> None:
        number = self._shapes.text(entity, "experiment_id", at)
        if not number:
            self._shapes.report("PE3120", "an experiment needs an `experiment_id`", at)
            return
        thing = self._pipeline(number, at)
        if thing is not None:
            self._gathering.attribute(thing, "name", self._shapes.text(entity, "name", at), f"{at}/name")
            self._tags(thing, entity, at)

    def _pipeline(self, number: str, at: str) -> Thing | None:
        if number not in self._experiments:
            node_id = f"{self._server}/#/experiments/{number}" if self._server else f"mlflow:experiments/{number}"
            thing = self._gathering.thing(node_id, "Pipeline", at)
            if thing is None:
                return None
            self._experiments[number] = thing
        return self._experiments[number]

    def _run(self, entity: _Entry, at: str) -> None:
        info, here = self._shapes.part(entity, "info", at)
        number = self._shapes.text(info, "run_id", here) or self._shapes.text(info, "run_uuid", here)
        if not number:
            self._shapes.report("PE3120", "a run needs a `run_id`", at)
            return
        thing = self._gathering.thing(f"mlflow:runs/{number}", "Run", at)
        data, data_at = self._shapes.part(entity, "data", at)
        if thing is not None:
            name = self._shapes.text(info, "run_name", here)
            self._gathering.attribute(thing, "name", name, f"{here}/run_name")
            commit = dict(self._pairs(data, "tags", data_at)).get("mlflow.source.git.commit")
            self._gathering.attribute(thing, "version", commit if isinstance(commit, str) else None, f"{data_at}/tags")
            experiment = self._shapes.text(info, "experiment_id", here)
            if experiment and (pipeline := self._pipeline(experiment, f"{here}/experiment_id")):
                self._gathering.edge("run_of", thing, pipeline, f"{here}/experiment_id")
        measures = [
            Measure(key, value, f"{data_at}/metrics")
            for key, value in self._pairs(data, "metrics", data_at)
            if value is not None and not key.startswith("system/")
        ]
        inputs, inputs_at = self._shapes.part(entity, "inputs", at)
        outputs, outputs_at = self._shapes.part(entity, "outputs", at)
        self._runs[number] = _Run(
            thing,
            self._shapes.text(info, "experiment_id", here),
            tuple(self._datasets(inputs, inputs_at)),
            tuple(measures),
            tuple(self._models(inputs, "model_inputs", inputs_at)),
            tuple(self._models(outputs, "model_outputs", outputs_at)),
        )

    def _models(self, of: _Entry, key: str, at: str) -> Iterator[tuple[str, str]]:
        for entry, here in self._shapes.parts(of, key, at):
            number = self._shapes.text(entry, "model_id", here)
            if number:
                yield number, here

    def _datasets(self, inputs: _Entry, at: str) -> Iterator[_Used]:
        for entry, here in self._shapes.parts(inputs, "dataset_inputs", at):
            dataset, place = self._shapes.part(entry, "dataset", here)
            name, digest = (self._shapes.text(dataset, key, place) for key in ("name", "digest"))
            if not name:
                self._shapes.report("PE3120", "a dataset needs a `name`", here)
                continue
            node_id = f"mlflow:datasets/{quote(name, safe='')}{f'@{digest}' if digest else ''}"
            thing = self._gathering.thing(node_id, "Dataset", place, tuple(self._addresses(dataset, place)))
            if thing is None:
                continue
            self._gathering.attribute(thing, "name", name, f"{place}/name")
            self._gathering.attribute(thing, "version", digest, f"{place}/digest")
            purpose = next((value for key, value in self._pairs(entry, "tags", here) if key == _CONTEXT), None)
            self._tags(thing, entry, here)
            edge = _PURPOSES.get(purpose.strip().casefold()) if isinstance(purpose, str) else None
            if edge is None:
                self._gathering.skip("data of a run without a purpose count as training data", here, "PE3177")
            yield _Used(thing, edge or "trained_on", here)

    def _addresses(self, dataset: _Entry, at: str) -> Iterator[str]:
        """Yield where a dataset lies, if that is a place that others can name too."""
        text = self._shapes.text(dataset, "source", at)
        source = embedded(self._gathering, text, f"{at}/source") if text else {}
        if not isinstance(source, dict):
            return
        if dataset.get("source_type") == "hugging_face" and isinstance(source.get("path"), str):
            yield f"https://huggingface.co/datasets/{source['path']}"
        for key in ("uri", "url"):
            address = source.get(key)
            if isinstance(address, str) and "://" in address and not address.startswith("file:"):
                yield address

    # Models

    def _find_makers(self) -> None:
        """Find which run made each logged model."""
        for entity, at in (*self._found["logged_model"], *self._found["model"]):
            info, here = self._shapes.part(entity, "info", at)
            model, run = info.get("model_id"), info.get("source_run_id")
            if isinstance(model, str) and isinstance(run, str) and run:
                self._made_by.setdefault(model, (run, f"{here}/source_run_id"))
        for number, known in self._runs.items():
            for model, here in known.gives:
                self._made_by.setdefault(model, (number, here))

    def _versions(self) -> None:
        """Claim the versions of the registry: each once, though a registered model repeats its latest."""
        models = [(self._shapes.text(entity, "name", at), entity, at) for entity, at in self._found["registered_model"]]
        registered = {name: (entity, at) for name, entity, at in models if name}
        versions = list(self._found["model_version"])
        for model, at in registered.values():
            versions += self._shapes.parts(model, "latest_versions", at)
        done: set[tuple[object, object]] = set()
        made: dict[str, list[Thing]] = {}
        for entity, at in versions:
            name, number = self._shapes.text(entity, "name", at), entity.get("version")
            if not name or not isinstance(number, str | int) or isinstance(number, bool):
                self._shapes.report("PE3120", "a version of a model needs a `name` and a `version`", at)
            elif (name, str(number)) not in done:
                done.add((name, str(number)))
                thing = self._version(name, str(number), entity, at, registered.get(name, ({}, "")))
                logged = self._logged_id(entity)
                if thing is not None and logged is not None:
                    made.setdefault(logged, []).append(thing)
        self._logged = {logged: things[0] for logged, things in made.items() if len(things) == 1}

    def _logged_id(self, version: _Entry) -> str | None:
        source = version.get("source")
        named = version.get("model_id") or (
            source if isinstance(source, str) and source.startswith("models:/m-") else ""
        )
        return named.removeprefix("models:/") or None if isinstance(named, str) else None

    def _version(self, name: str, number: str, entity: _Entry, at: str, registered: tuple[_Entry, str]) -> Thing | None:
        model, model_at = registered
        tags = dict((*self._pairs(model, "tags", model_at), *self._pairs(entity, "tags", at)))
        is_prompt = str(tags.get(_IS_PROMPT)).casefold() == "true"
        source = entity.get("source")
        places = (source,) if isinstance(source, str) and _is_shared(source) and not is_prompt else ()
        node_id = self._prompt_id(name, number) if is_prompt else self._model_id(name, number)
        thing = self._gathering.thing(node_id, "Prompt" if is_prompt else "Model", at, places)
        if thing is None:
            return None
        claim = self._gathering.attribute
        claim(thing, "name", name, f"{at}/name")
        claim(thing, "version", number, f"{at}/version")
        description = self._shapes.text(entity, "description", at)
        if description:
            claim(thing, "description", description, f"{at}/description")
        else:
            claim(thing, "description", self._shapes.text(model, "description", model_at), f"{model_at}/description")
        stage = entity.get("current_stage")
        claim(thing, "stage", _STAGES.get(stage) if isinstance(stage, str) else None, f"{at}/current_stage")
        template = entity.get("template")
        if is_prompt and isinstance(template, str):
            # What a prompt is, is its text.
            self._gathering.digest(thing, hashlib.sha256(template.encode()).hexdigest(), f"{at}/template")
        if not is_prompt:
            claim(thing, "release_names", sorted(self._aliases(number, entity, at, model, model_at)), f"{at}/aliases")
        self._tags(thing, entity, at)
        self._tags(thing, model, model_at)
        run = self._shapes.text(entity, "run_id", at)
        # A version that was made of a logged model need not name the run; the logged model does, or its run names it.
        run, named_at = (run, f"{at}/run_id") if run else self._made_by.get(self._logged_id(entity) or "", ("", at))
        if run and not is_prompt:
            self._came_from(thing, run, named_at)
        return thing

    def _model_id(self, name: str, number: str) -> str:
        server = f"?repository_url={quote(self._server, safe=':/')}" if self._server else ""
        return f"pkg:mlflow/{quote(name, safe='')}@{quote(number, safe='')}{server}"

    def _prompt_id(self, name: str, number: str) -> str:
        server = f"{self._server}/#/prompts" if self._server else "prompts:"
        return f"{server}/{quote(name, safe='')}/{quote(number, safe='')}"

    def _aliases(self, number: str, entity: _Entry, at: str, model: _Entry, model_at: str) -> set[str]:
        found = {text for text, _ in self._shapes.texts(entity, "aliases", at)}
        raw = model.get("aliases")
        if isinstance(raw, dict):  # the Python client: alias → version
            return found | {alias for alias, version in raw.items() if str(version) == number}
        for entry, here in self._shapes.parts(model, "aliases", model_at):
            alias = self._shapes.text(entry, "alias", here)
            if alias and str(entry.get("version")) == number:
                found.add(alias)
        return found

    def _came_from(self, thing: Thing, run: str, at: str) -> None:
        """Say that a model came out of a run, and so learnt from the data that the run was given."""
        known = self._runs.get(run)
        made_by = known.thing if known else self._gathering.thing(f"mlflow:runs/{run}", "Run", at)
        if made_by is not None:
            self._gathering.edge("produced_by", thing, made_by, at)
        if known is None:
            return
        if known.experiment and (pipeline := self._pipeline(known.experiment, at)):
            self._gathering.edge("produced_by", thing, pipeline, at)
        # What a run was given and found out is told again of each model that came out of it.
        if self._pairs_told.fit(1, len(known.used) + len(known.measures), at):
            for used in known.used:
                self._gathering.edge(used.edge, thing, used.thing, used.at)
            declare(self._gathering, thing, known.measures)
        else:
            self._feed(run, known)

    def _feed(self, number: str, run: _Run) -> None:
        """Say what data a run depends on, once."""
        if run.thing is None or number in self._fed:
            return
        self._fed.add(number)
        for used in run.used:
            self._gathering.edge("depends_on", run.thing, used.thing, used.at)

    def _logged_model(self, entity: _Entry, at: str) -> None:
        info, here = self._shapes.part(entity, "info", at)
        number = self._shapes.text(info, "model_id", here)
        if not number:
            self._shapes.report("PE3120", "a logged model needs a `model_id`", at)
            return
        thing = self._logged_thing(number, here)
        if thing is None or not thing.id.startswith("mlflow:"):
            return  # the registry says more of it
        self._gathering.attribute(thing, "name", self._shapes.text(info, "name", here), f"{here}/name")
        self._tags(thing, info, here)
        run = self._shapes.text(info, "source_run_id", here)
        if run:
            self._came_from(thing, run, f"{here}/source_run_id")

    def _logged_thing(self, number: str, at: str) -> Thing | None:
        if number not in self._logged:
            thing = self._gathering.thing(f"mlflow:models/{number}", "Model", at)
            if thing is None:
                return None
            self._logged[number] = thing
        return self._logged[number]

    def _evaluations(self) -> None:
        """Claim what runs say of logged models: those they made, and those they tried out on data."""
        for number, run in self._runs.items():
            for logged, at in run.gives:
                is_new = logged not in self._logged
                thing = self._logged_thing(logged, at)
                if thing is not None and is_new:
                    self._came_from(thing, number, at)
            tested = [used for used in run.used if used.edge != "trained_on"]
            if not run.takes or not tested or not self._pairs_told.fit(len(run.takes), len(tested), run.takes[0][1]):
                continue
            for logged, at in run.takes:
                thing = self._logged_thing(logged, at)
                if thing is not None:
                    for used in tested:
                        self._gathering.edge(used.edge, thing, used.thing, used.at)

    # Shapes

    def _tags(self, thing: Thing, entity: _Entry, at: str) -> None:
        for key, value in self._pairs(entity, "tags", at):
            if not key.startswith("mlflow."):
                self._labels.pair(thing, key, value, f"{at}/tags")

    def _pairs(self, of: _Entry, key: str, at: str) -> Iterator[tuple[str, object]]:
        """Yield keys and values of a mapping, or of a list of mappings with ``key`` and ``value``."""
        raw = of.get(key)
        if isinstance(raw, dict):
            yield from raw.items()
            return
        for entry, here in self._shapes.parts(of, key, at):
            name = self._shapes.text(entry, "key", here)
            if name:
                yield name, entry.get("value")


def _is_shared(source: str) -> bool:
    """Tell whether the place of a model's files is one that others can name too."""
    return "://" in source and not source.startswith(("file:", "models:", "runs:", "mlflow-artifacts:", "dbfs:"))
