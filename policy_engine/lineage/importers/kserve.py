"""KServe manifests: what is deployed, which model it runs, where it logs, what calls what.

What becomes what:

- an InferenceService or LLMInferenceService is a Deployment with an Endpoint that serves it; the model of its
  ``storageUri`` is a Model that it deploys, an adapter is fine-tuned from the model it adapts;
- a container of its own is a Component, and nothing says which model it holds unless ``STORAGE_URI`` does;
- a ``logger`` is a LogStore that records without a person's doing;
- an InferenceGraph is a Deployment that depends on the services of its steps; a TrainedModel is one more Model of the
  service it names; a List, as a cluster hands it out, is each of its items.

A deployment is ``kserve:<kind>:<namespace>/<name>``. A model is the place it is loaded from; of ``hf://org/name`` its
package URL. Of any other object of Kubernetes nothing is kept.
"""

import re
from dataclasses import dataclass

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.gathering import Gathering, Thing
from policy_engine.lineage.importers.labels import Labels
from policy_engine.lineage.importers.placeholders import filled
from policy_engine.lineage.located import step

_GROUPS = ("serving.kserve.io/", "serving.kubeflow.org/")  # what it was called before version 0.7
_HUB = re.compile(r"hf://([^/:@]+/[^/:@]+)(?:[:@](.+))?")
_IMAGE_DIGEST = re.compile(r"@sha256:([0-9a-f]{64})\Z")
# The parts of a predictor that are no model: what else holds a mapping names the framework of one.
_NO_MODEL = frozenset(
    {"logger", "batcher", "affinity", "securityContext", "workerSpec", "scaleMetric", "labels", "annotations",
     "nodeSelector", "deploymentStrategy", "autoScaling", "dnsConfig", "resources", "os", "overhead"}
)  # fmt: skip

_Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class KServeImporter:
    """Reads Kubernetes manifests for what KServe serves."""

    name: str = "kserve"
    sign: str = "a Kubernetes manifest, which holds `apiVersion` and `kind`"

    def detects(self, document: Document) -> bool:
        """Tell whether a document is a Kubernetes object."""
        content = document.content
        return (
            isinstance(content, dict)
            and all(isinstance(content.get(key), str) for key in ("apiVersion", "kind"))
            and any(key in content for key in ("metadata", "spec", "items"))
        )

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what a manifest asserts."""
        reading = _Reading(Gathering(source, schema))
        return reading.claims(document.content if isinstance(document.content, dict) else {})


class _Reading:
    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._shapes = gathering.shapes
        self._labels = Labels(gathering)

    def claims(self, manifest: _Entry) -> Claims:
        if manifest.get("kind") == "List" or (str(manifest["kind"]).endswith("List") and "items" in manifest):
            for item, at in self._shapes.parts(manifest, "items", ""):
                self._object(item, at)
        else:
            self._object(manifest, "")
        return self._gathering.claims()

    def _object(self, item: _Entry, at: str) -> None:
        kind = self._shapes.text(item, "kind", at) or "none"
        ours = (self._shapes.text(item, "apiVersion", at) or "").startswith(_GROUPS)
        reads = {
            "InferenceService": self._inference_service,
            "LLMInferenceService": self._llm_service,
            "InferenceGraph": self._graph,
            "TrainedModel": self._trained_model,
        }
        if not ours or kind not in reads:
            self._gathering.skip(f"objects of Kubernetes of the kind {kind} are not kept", at)
            return
        metadata, here = self._shapes.part(item, "metadata", at)
        name = self._text(metadata, "name", here)
        if not name:
            self._gathering.skip(f"an {kind} without `metadata.name` is not kept", at, "PE3120")
            return
        namespace = self._text(metadata, "namespace", here) or "default"
        reads[kind](item, at, namespace, name)

    # Objects

    def _inference_service(self, item: _Entry, at: str, namespace: str, name: str) -> None:
        deployment = self._deployment("InferenceService", item, at, namespace, name)
        if deployment is None:
            return
        spec, here = self._shapes.part(item, "spec", at)
        predictor, predictor_at = self._shapes.part(spec, "predictor", here)
        self._models_of(deployment, predictor, predictor_at, namespace)
        for key in ("predictor", "transformer", "explainer"):
            part, part_at = self._shapes.part(spec, key, here)
            self._containers(deployment, part, part_at, namespace, holds_model=key == "predictor")
            self._logger(deployment, part, part_at)
            self._canary(part, part_at)

    def _llm_service(self, item: _Entry, at: str, namespace: str, name: str) -> None:
        deployment = self._deployment("LLMInferenceService", item, at, namespace, name)
        if deployment is None:
            return
        spec, here = self._shapes.part(item, "spec", at)
        entry, entry_at = self._shapes.part(spec, "model", here)
        base = self._model(self._text(entry, "uri", entry_at), f"{entry_at}/uri", namespace)
        if base is None:
            self._gathering.skip("a service does not say which model it serves", here, "PE3166")
        else:
            self._gathering.edge("deploys", deployment, base, f"{entry_at}/uri")
        lora, lora_at = self._shapes.part(entry, "lora", entry_at)
        for adapter, place in self._shapes.parts(lora, "adapters", lora_at):
            model = self._model(self._text(adapter, "uri", place), f"{place}/uri", namespace)
            if model is not None:
                self._gathering.edge("deploys", deployment, model, place)
                if base is not None and base != model:
                    self._gathering.edge("finetuned_from", model, base, place)
        template, template_at = self._shapes.part(spec, "template", here)
        self._containers(deployment, template, template_at, namespace, holds_model=False)

    def _graph(self, item: _Entry, at: str, namespace: str, name: str) -> None:
        deployment = self._deployment("InferenceGraph", item, at, namespace, name)
        if deployment is None:
            return
        spec, here = self._shapes.part(item, "spec", at)
        nodes, nodes_at = self._shapes.part(spec, "nodes", here)
        for key in nodes:
            node, node_at = self._shapes.part(nodes, key, nodes_at)
            for entry, place in self._shapes.parts(node, "steps", node_at):
                service, url = (self._text(entry, word, place) for word in ("serviceName", "serviceUrl"))
                target = None
                if service:
                    target = self._gathering.thing(_id("InferenceService", namespace, service), "Deployment", place)
                elif url:
                    target = self._gathering.thing(
                        url, "Service", place, presumed=True
                    )  # it may be an endpoint of ours
                if target is not None:
                    self._gathering.edge("depends_on", deployment, target, place)

    def _trained_model(self, item: _Entry, at: str, namespace: str, _: str) -> None:
        spec, here = self._shapes.part(item, "spec", at)
        service = self._text(spec, "inferenceService", here)
        entry, entry_at = self._shapes.part(spec, "model", here)
        model = self._model(self._text(entry, "storageUri", entry_at), f"{entry_at}/storageUri", namespace)
        if model is not None:
            self._gathering.attribute(model, "library", self._text(entry, "framework", entry_at), entry_at)
        if model is None or not service:
            self._gathering.skip("a TrainedModel needs `inferenceService` and `model.storageUri`", here, "PE3120")
            return
        host = self._gathering.thing(_id("InferenceService", namespace, service), "Deployment", here)
        if host is not None:
            self._gathering.edge("deploys", host, model, here)

    # Parts of objects

    def _deployment(self, kind: str, item: _Entry, at: str, namespace: str, name: str) -> Thing | None:
        deployment = self._gathering.thing(_id(kind, namespace, name), "Deployment", at)
        if deployment is None:
            return None
        metadata, here = self._shapes.part(item, "metadata", at)
        self._gathering.attribute(deployment, "name", name, f"{here}/name")
        created = self._text(metadata, "creationTimestamp", here)
        self._gathering.attribute(deployment, "started_on", created and created[:10], f"{here}/creationTimestamp")
        for group in ("labels", "annotations"):
            words, words_at = self._shapes.part(metadata, group, here)
            for key in words:
                word = key.rpartition("/")[2]  # before it stands the domain of whoever defined the key
                if self._labels.fits(deployment, word):
                    self._labels.pair(deployment, word, words[key], words_at + step(key))
        status, status_at = self._shapes.part(item, "status", at)
        url = self._text(status, "url", status_at)
        endpoint = self._gathering.thing(f"{deployment.id}#endpoint", "Endpoint", at, (url,) if url else ())
        if endpoint is not None:
            self._gathering.attribute(endpoint, "name", url or name, at)
            self._gathering.edge("serves", endpoint, deployment, at)
        return deployment

    def _models_of(self, deployment: Thing, predictor: _Entry, at: str, namespace: str) -> None:
        """Read the models of a predictor: under ``model``, or under the name of a framework."""
        for key, raw in predictor.items():
            if not isinstance(raw, dict) or key in _NO_MODEL:
                continue
            here = at + step(key)
            library = key
            if key == "model":
                library = self._text(*self._under(raw, "modelFormat", here)) or ""
            found = [(self._text(raw, "storageUri", here), f"{here}/storageUri")]
            for each, place in self._shapes.parts(raw, "storageUris", here):
                found.append((self._text(each, "uri", place), f"{place}/uri"))
            found.append((self._stored(raw, here, namespace), f"{here}/storage"))
            models = [(model, place) for uri, place in found if (model := self._model(uri, place, namespace))]
            for model, place in models:
                self._gathering.attribute(model, "library", library or None, here)
                self._gathering.edge("deploys", deployment, model, place)
            if not models:
                self._gathering.skip("a predictor does not say which model it serves", here, "PE3166")

    def _under(self, of: _Entry, key: str, at: str) -> tuple[_Entry, str, str]:
        part, here = self._shapes.part(of, key, at)
        return part, "name", here

    def _stored(self, entry: _Entry, at: str, namespace: str) -> str | None:
        """Return the place that ``storage`` names: of a secret's key it is known only within the namespace."""
        storage, here = self._shapes.part(entry, "storage", at)
        path, key = self._text(storage, "path", here), self._text(storage, "key", here)
        parameters, place = self._shapes.part(storage, "parameters", here)
        scheme, bucket = (self._text(parameters, word, place) for word in ("type", "bucket"))
        if not path:
            return None
        if scheme and bucket:
            return f"{scheme}://{bucket}/{path.lstrip('/')}"
        return f"kserve:storage:{namespace}/{key or 'default'}/{path.lstrip('/')}"

    def _containers(self, deployment: Thing, part: _Entry, at: str, namespace: str, *, holds_model: bool) -> None:
        for container, here in self._shapes.parts(part, "containers", at):
            self._image(deployment, self._text(container, "image", here), f"{here}/image")
            if not holds_model:
                continue
            uris = [
                (self._text(variable, "value", place), place)
                for variable, place in self._shapes.parts(container, "env", here)
                if variable.get("name") == "STORAGE_URI"
            ]
            for uri, place in uris:
                model = self._model(uri, place, namespace)
                if model is not None:
                    self._gathering.edge("deploys", deployment, model, place)
            if not uris:
                self._gathering.skip("a container does not say which model it serves", here, "PE3166")

    def _image(self, deployment: Thing, image: str | None, at: str) -> None:
        component = self._gathering.thing(f"oci://{image}", "Component", at) if image else None
        if image and component is not None:
            self._gathering.attribute(component, "name", image, at)
            self._digest_of(component, image, at)
            self._gathering.edge("has_component", deployment, component, at)

    def _logger(self, deployment: Thing, part: _Entry, at: str) -> None:
        if part.get("logger") is None:
            return
        logger, here = self._shapes.part(part, "logger", at)
        url = self._text(logger, "url", here)
        store = self._gathering.thing(url or f"{deployment.id}#logger", "LogStore", here)
        if store is not None:
            self._gathering.attribute(store, "name", url, f"{here}/url")
            self._gathering.attribute(store, "automatic", True, here)
            self._gathering.edge("logs_to", deployment, store, here)

    def _canary(self, part: _Entry, at: str) -> None:
        share = part.get("canaryTrafficPercent")
        if share is None or share == 100:
            return
        here = f"{at}/canaryTrafficPercent"
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share < 100:
            self._shapes.wrong(share, "a share from 0 to 100", here)
            return
        message = f"{share}% of the traffic goes to what is named here, and the rest to an earlier revision that is not"
        self._shapes.report("PE3165", message, here, advice="name the earlier revision's model in the inventory")

    def _model(self, uri: str | None, at: str, namespace: str) -> Thing | None:
        if not uri:
            return None
        hub = _HUB.fullmatch(uri)
        if hub:
            name, revision = hub[1], hub[2] if hub[2] != "main" else None  # a branch that moves is no version
            node_id = f"pkg:huggingface/{name}{f'@{revision}' if revision else ''}"
            model = self._gathering.thing(node_id, "Model", at, (uri,))
            if model is not None:
                self._gathering.attribute(model, "name", name, at)
                self._gathering.attribute(model, "version", revision, at)
            return model
        place = re.sub(r"\A(\w+)\+native://", r"\1://", uri).rstrip("/")
        if place.startswith("pvc://"):
            place = f"kserve:pvc:{namespace}/{place[6:]}"  # a claim is a name within its namespace
        model = self._gathering.thing(place, "Model", at, () if "pvc:" in place[:12] else (uri,))
        if model is not None:
            self._digest_of(model, place, at)
        return model

    def _digest_of(self, thing: Thing, reference: str, at: str) -> None:
        found = _IMAGE_DIGEST.search(reference)
        if found:
            self._gathering.digest(thing, found[1], at)

    def _text(self, of: _Entry, key: str, at: str) -> str | None:
        return filled(self._gathering, self._shapes.text(of, key, at), at + step(key))


def _id(kind: str, namespace: str, name: str) -> str:
    return f"kserve:{kind}:{namespace.replace('/', '%2F')}/{name}"
