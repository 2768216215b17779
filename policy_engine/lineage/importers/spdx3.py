"""SPDX 3.0.1 in JSON-LD with its AI and Dataset profiles: packages, their suppliers, and how they hang together.

What becomes what:

- an AI package is a Model, or a System where its purpose is to be an application and nothing makes it a model; a
  dataset package is a Dataset; another package is what its purpose says, else a Component; a file is a Component,
  a build a Run;
- ``suppliedBy``, else ``originatedBy``, is the Vendor;
- relationships are edges as `_RELATIONS` says; there is no edge for fine-tuning in SPDX 3.0.1, so that an ancestor of a
  model is its base model;
- a safety risk is on the scale of Regulation (EC) No 765/2008 and is no tier of the AI Act.

Generators write properties without the prefix of their profile, names in the place of elements, and tasks in the
place of purposes: all are read and told. An element is asserted by the document and by whom its own ``creationInfo``
names. A purl is identity, else the ``spdxId``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.gathering import Gathering, Thing, decimal
from policy_engine.lineage.importers.measures import Measure, declare
from policy_engine.lineage.importers.missing import says_nothing

_CONTEXT = "spdx.org/rdf/3."
_PREFIXES = ("ai_", "dataset_", "software_", "simplelicensing_", "build_", "expandedlicensing_")
_AGENTS = frozenset({"Person", "Organization", "Tool", "SoftwareAgent", "Agent"})
_KINDS = {
    "AIPackage": "Model",
    "DatasetPackage": "Dataset",
    "Package": "Component",
    "File": "Component",
    "Build": "Run",
}
_BY_PURPOSE = {"model": "Model", "data": "Dataset"}
# The vocabulary software_SoftwarePurpose of SPDX 3.0.1; anything else in its place is somebody's own word.
_PURPOSES = frozenset(
    {
        "application",
        "archive",
        "bom",
        "configuration",
        "container",
        "data",
        "device",
        "deviceDriver",
        "diskImage",
        "documentation",
        "evidence",
        "executable",
        "file",
        "filesystemImage",
        "firmware",
        "framework",
        "install",
        "library",
        "manifest",
        "model",
        "module",
        "operatingSystem",
        "other",
        "patch",
        "platform",
        "requirement",
        "source",
        "specification",
        "test",
    }
)
_MODEL_SIGNS = ("typeOfModel", "hyperparameter", "metric", "informationAboutTraining")
_OF_MODELS = {
    "limitation": "limitations",
    "informationAboutApplication": "intended_use",
    "informationAboutTraining": "training",
    "modelDataPreprocessing": "preprocessing",
    "modelExplainability": "explainability",
    "typeOfModel": "architecture",
    "domain": "domains",
    "standardCompliance": "standards",
}
_OF_DATA = {
    "confidentialityLevel": "classification",
    "dataCollectionProcess": "collection",
    "dataPreprocessing": "preprocessing",
    "datasetUpdateMechanism": "update_plan",
    "datasetNoise": "limitations",
    "intendedUse": "intended_use",
    "knownBias": "known_biases",
    "anonymizationMethodUsed": "anonymisation",
}
_PREFIXED = frozenset({*_OF_MODELS, *_OF_DATA, "packageVersion", "downloadLocation"})
_RISKS = ("serious", "high", "medium", "low")
# Edge and whether it leads from the `to` of a relationship to its `from`; the first that fits the two kinds is taken.
_RELATIONS: dict[str, tuple[tuple[str, bool], ...]] = {
    "trainedOn": (("trained_on", False),),
    "testedOn": (("tested_on", False),),
    "ancestorOf": (("finetuned_from", True), ("derived_from", True), ("depends_on", True)),
    "descendantOf": (("finetuned_from", False), ("derived_from", False), ("depends_on", False)),
    "generates": (("produced_by", True), ("derived_from", True), ("depends_on", True)),
    "hasOutput": (("produced_by", True), ("depends_on", True)),
    "hasInput": (("depends_on", False),),
    "contains": (("uses_model", False), ("component_of", True), ("depends_on", False)),
    "hasDataFile": (("component_of", True), ("depends_on", False)),
    "dependsOn": (("uses_model", False), ("depends_on", False)),
} | dict.fromkeys(
    (
        "hasDynamicLink",
        "hasStaticLink",
        "hasOptionalDependency",
        "hasPrerequisite",
        "hasProvidedDependency",
        "usesTool",
    ),
    (("depends_on", False),),
)
# Generators write the page of a package on the hub in the place of its purl.
_PACKAGES = ("pkg:", "https://huggingface.co/")
_LICENCES = ("hasDeclaredLicense", "hasConcludedLicense")
_KWH = {"kilowattHour": Decimal(1), "megajoule": Decimal(1) / Decimal("3.6")}

_Element = dict[str, object]


@dataclass(frozen=True, slots=True)
class Spdx3Importer:
    """Reads SPDX 3.0 documents."""

    name: str = "spdx3"
    sign: str = "an SPDX 3.0 document, whose `@context` is that of SPDX"

    def detects(self, document: Document) -> bool:
        """Tell whether a document is of SPDX 3.0."""
        content = document.content
        if not isinstance(content, dict):
            return False
        context = content.get("@context")
        named = context if isinstance(context, list) else [context]
        return any(isinstance(each, str) and _CONTEXT in each for each in named)

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what an SPDX document asserts."""
        content = document.content if isinstance(document.content, dict) else {}
        return _Graph(content, source, schema).claims()


class _Graph:
    def __init__(self, content: _Element, source: Source, schema: Schema) -> None:
        self._gathering = Gathering(source, schema)
        self._shapes = self._gathering.shapes
        # A document of one element may be that element, without a graph.
        entries = self._shapes.parts(content, "@graph", "") if "@graph" in content else [(content, "")]
        self._elements = list(entries)
        self._by_id = {name: (element, at) for element, at in self._elements if (name := self._id(element, at))}
        self._things: dict[str, Thing] = {}
        self._trained = self._sources_of("trainedOn") | self._sources_of("testedOn")

    def claims(self) -> Claims:
        self._head()
        for element, at in self._elements:
            if (name := self._id(element, at)) and (kind := self._kind(element, at, name)):
                self._package(element, at, name, kind)
            elif kind_of(element) in _KINDS and not name:
                self._shapes.report("PE3120", "an element needs a `spdxId`", at)
        for element, at in self._elements:
            if kind_of(element) in ("Relationship", "LifecycleScopedRelationship"):
                self._relationship(element, at)
        return self._gathering.claims()

    # Elements

    def _id(self, element: _Element, at: str) -> str | None:
        key = "spdxId" if "spdxId" in element else "@id"
        name = self._shapes.text(element, key, at)
        return self._full(name) if name else None

    def _full(self, name: str) -> str:
        """Return a name that no other document has: a blank node, and what is no IRI, has one within its own only."""
        is_local = name.startswith("_:") or ":" not in name
        return f"{self._gathering.source.name}#{name}" if is_local else name

    def _kind(self, element: _Element, at: str, name: str) -> str | None:
        of = kind_of(element)
        purpose = next(iter(self._texts(element, "primaryPurpose", at)), ("", ""))[0]
        if of == "AIPackage":
            signs = (written(element, key) in element for key in _MODEL_SIGNS)
            is_model = purpose != "application" or name in self._trained or any(signs)
            return "Model" if is_model else "System"
        if of == "Package":
            return _BY_PURPOSE.get(purpose, "Component")
        return _KINDS.get(of)

    def _package(self, element: _Element, at: str, name: str, kind: str) -> None:
        self._asserter(element, at)
        if any(key in element for key in _PREFIXED):
            message = "properties without the prefix of their profile are read as if they had it"
            self._gathering.skip(message, at, "PE3121")
        purls = list(self._purls(element, at))
        is_purl = len(purls) == 1 and purls[0].startswith("pkg:")
        thing = self._gathering.thing(purls[0] if is_purl else name, kind, at, (name, *purls))
        if thing is None:
            return
        self._things[name] = thing
        claim = self._gathering.attribute
        claim(thing, "name", self._shapes.text(element, "name", at), f"{at}/name")
        for key in ("summary", "description", "comment"):
            text = self._shapes.text(element, key, at)
            if text and not says_nothing(text):
                claim(thing, "description", text, f"{at}/{key}")
                break
        claim(thing, "version", *self._text(element, "packageVersion", at))
        for digest, here in self._shapes.parts(element, "verifiedUsing", at):
            if digest.get("algorithm") == "sha256":
                self._gathering.digest(thing, digest.get("hashValue"), f"{here}/hashValue")
        claim(thing, "licence", *self._text(element, "licenseDeclared", at))
        self._supplier(thing, element, at)
        if kind in ("Model", "System"):
            self._model(thing, element, at)
        elif kind == "Dataset":
            self._dataset(thing, element, at)

    def _purls(self, element: _Element, at: str) -> Iterator[str]:
        url, _ = self._text(element, "packageUrl", at)
        if url and url.startswith(_PACKAGES):
            yield url
        for other, here in self._shapes.parts(element, "externalIdentifier", at):
            if other.get("externalIdentifierType") == "packageUrl":
                purl = self._shapes.text(other, "identifier", here)
                if purl and purl.startswith(_PACKAGES) and purl != url:
                    yield purl

    def _supplier(self, thing: Thing, element: _Element, at: str) -> None:
        key = "suppliedBy" if element.get("suppliedBy") else "originatedBy"
        for name, here in self._texts(element, key, at):
            agent, _ = self._by_id.get(self._full(name), ({}, ""))
            if agent:
                said = agent.get("name")
                self._gathering.vendor(
                    thing, said if isinstance(said, str) and said else name, here, (self._full(name),)
                )
            elif not _is_nobody(name):
                message = f"`{name}` is no element of the document; it is taken for the name of a supplier"
                self._shapes.report("PE3130", message, here)
                self._gathering.vendor(thing, name, here)

    # Profiles

    def _model(self, thing: Thing, element: _Element, at: str) -> None:
        self._prose(thing, element, _OF_MODELS if thing.kind == "Model" else {}, at)
        if thing.kind != "Model":
            return
        for task, here in self._texts(element, "primaryPurpose", at):
            if task not in _PURPOSES:
                self._gathering.attribute(thing, "task", task, here)
        self._presence(thing, "autonomous", element, "autonomyType", at)
        self._presence(thing, "uses_personal_data", element, "useSensitivePersonalInformation", at, only_yes=True)
        risk, here = self._text(element, "safetyRiskAssessment", at)
        if risk in _RISKS:
            self._gathering.attribute(thing, "safety_risk", risk, here)
        elif risk and not says_nothing(risk):
            self._shapes.wrong(risk, f"one of {', '.join(_RISKS)}", here)
        measures = []
        for metric, here in self._shapes.parts(element, written(element, "metric"), at):
            name = self._shapes.text(metric, "key", here)
            if name and metric.get("value") is not None:
                measures.append(Measure(name, metric["value"], f"{here}/value"))
        declare(self._gathering, thing, measures)
        self._energy(thing, element, at)

    def _energy(self, thing: Thing, element: _Element, at: str) -> None:
        """Claim what training took; what inference takes is of another kind, per use."""
        consumption, here = self._shapes.part(element, written(element, "energyConsumption"), at)
        total = Decimal(0)
        for key in ("trainingEnergyConsumption", "finetuningEnergyConsumption"):
            for entry, place in self._shapes.parts(consumption, written(consumption, key), here):
                unit = entry.get(written(entry, "energyUnit"))
                amount = decimal(entry.get(written(entry, "energyQuantity")))
                if amount is None or not isinstance(unit, str) or unit not in _KWH:
                    self._shapes.wrong(unit, "an amount of energy in kilowattHour or megajoule", place)
                    return
                total += amount * _KWH[unit]
        if total:
            self._gathering.attribute(thing, "energy_kwh", round(total, 6).normalize(), here)

    def _dataset(self, thing: Thing, element: _Element, at: str) -> None:
        self._prose(thing, element, _OF_DATA, at)
        self._presence(thing, "personal_data", element, "hasSensitivePersonalInformation", at, only_yes=True)
        size = element.get(key := written(element, "datasetSize"))
        if isinstance(size, int) and not isinstance(size, bool):
            self._gathering.attribute(thing, "size", f"{size} bytes", f"{at}/{key}")

    def _prose(self, thing: Thing, element: _Element, mapping: dict[str, str], at: str) -> None:
        for key, attribute in mapping.items():
            said = [text for text, _ in self._texts(element, key, at)]
            self._gathering.attribute(thing, attribute, said, f"{at}/{written(element, key)}")

    def _presence(
        self, thing: Thing, attribute: str, element: _Element, key: str, at: str, *, only_yes: bool = False
    ) -> None:
        """Claim a yes or no. That sensitive personal data are absent does not say that personal data are."""
        said, here = self._text(element, key, at)
        if said == "yes" or (said == "no" and not only_yes):
            self._gathering.attribute(thing, attribute, said == "yes", here)
        elif said and said != "no" and not says_nothing(said):
            self._shapes.wrong(said, "`yes`, `no` or `noAssertion`", here)

    # Relationships

    def _sources_of(self, relation: str) -> set[str]:
        related = [element.get("from") for element, _ in self._elements if element.get("relationshipType") == relation]
        return {self._full(name) for name in related if isinstance(name, str)}

    def _relationship(self, element: _Element, at: str) -> None:
        kind, name = self._shapes.text(element, "relationshipType", at), self._shapes.text(element, "from", at)
        if not kind or not name or (kind not in _LICENCES and kind not in _RELATIONS):
            return
        self._asserter(element, at)
        for target, here in self._texts(element, "to", at):
            if kind in _LICENCES:
                if thing := self._things.get(self._full(name)):
                    self._gathering.attribute(thing, "licence", self._licence(target), here)
            elif (source := self._end(name, "Model", kind, f"{at}/from")) and (
                thing := self._end(target, "Dataset", kind, here)
            ):
                self._relate(kind, source, thing, here)

    def _relate(self, kind: str, source: Thing, target: Thing, at: str) -> None:
        fitting = [
            (edge, *((target, source) if turned else (source, target)))
            for edge, turned in _RELATIONS[kind]
            if self._gathering.fits(edge, *((target, source) if turned else (source, target)))
        ]
        if fitting:
            self._gathering.edge(*fitting[0], at)
        else:
            message = f"`{kind}` is not kept: the schema has no edge for it from {source.kind} to {target.kind}"
            self._gathering.skip(message, at)

    def _end(self, name: str, kind: str, relation: str, at: str) -> Thing | None:
        """Return an end of a relationship. Data that no element describes are kept: the model must not look cleaner."""
        full = self._full(name)
        if full in self._things:
            return self._things[full]
        if full in self._by_id or _is_nobody(name):
            return None
        if relation not in ("trainedOn", "testedOn"):
            self._shapes.report("PE3130", f"the reference `{name}` leads to nothing in this document", at)
            return None
        message = f"the reference `{name}` leads to nothing; it is kept as an unknown {kind.casefold()}"
        self._shapes.report("PE3130", message, at)
        thing = self._gathering.thing(full, kind, at)
        if thing is not None:
            self._things[full] = thing
            self._gathering.attribute(thing, "name", name, at)
        return thing

    def _licence(self, target: str) -> str | None:
        element, _ = self._by_id.get(self._full(target), ({}, ""))
        said = element.get(written(element, "licenseExpression")) or element.get("name")
        if isinstance(said, str):
            return said
        tail = target.rpartition("/")[2]
        return None if tail in ("NoAssertionLicense", "NoneLicense", "NONE") else tail or None

    # Who says so

    def _head(self) -> None:
        for element, at in self._elements:
            if kind_of(element) == "SpdxDocument":
                info, here = self._creation(element, at)
                self._gathering.stated(self._makers(info, here), info.get("created"), f"{here}/created")
                return

    def _asserter(self, element: _Element, at: str) -> None:
        """Attribute an element to its own creators, where they are others than the document's."""
        info, here = self._creation(element, at)
        by, source = self._makers(info, here), self._gathering.source
        when = self._gathering.instant(info.get("created"), f"{here}/created")
        if by is not None and (by, when) != (source.asserted_by, source.asserted_at):
            stamp = f" {when:%Y-%m-%dT%H:%M:%SZ}" if when else ""
            self._gathering.attribute_to(at, f"{by}{stamp}", by, when)

    def _creation(self, element: _Element, at: str) -> tuple[_Element, str]:
        raw = element.get("creationInfo")
        if isinstance(raw, str):
            return self._by_id.get(self._full(raw), ({}, f"{at}/creationInfo"))
        return self._shapes.part(element, "creationInfo", at)

    def _makers(self, info: _Element, at: str) -> str | None:
        names = []
        for name, _ in self._texts(info, "createdBy", at):
            agent = self._by_id.get(self._full(name), ({}, ""))[0]
            said = agent.get("name")
            names.append(said if isinstance(said, str) and said else name)
        return ", ".join(names) or None

    def _texts(self, element: _Element, key: str, at: str) -> list[tuple[str, str]]:
        """Return the texts under a key, of which there may be one alone or a list."""
        key = written(element, key)
        if isinstance(element.get(key), str):
            return [(str(element[key]), f"{at}/{key}")]
        return list(self._shapes.texts(element, key, at))

    def _text(self, element: _Element, key: str, at: str) -> tuple[str | None, str]:
        key = written(element, key)
        return self._shapes.text(element, key, at), f"{at}/{key}"


def _is_nobody(name: str) -> bool:
    """Tell whether a name stands where there is no element: a word for it, or one of the two individuals of SPDX."""
    return says_nothing(name) or name.rpartition("/")[2] in ("NoAssertionElement", "NoneElement")


def written(element: _Element, key: str) -> str:
    """Return the key as an element writes it: with the prefix of a profile or without."""
    return next((name for prefix in _PREFIXES if (name := prefix + key) in element), key)


def kind_of(element: _Element) -> str:
    """Return the class of an element without the prefix of its profile."""
    written = element.get("type", element.get("@type"))
    name = written if isinstance(written, str) else ""
    return name.removeprefix(next((p for p in _PREFIXES if name.startswith(p)), ""))
