"""CycloneDX 1.5 to 1.7 in JSON (ECMA-424): models, datasets, services, their makers, and how they come from each other.

What becomes what:

- a component is a Model (``machine-learning-model``), a Dataset (``data``) or a Component (any other type), a service
  a Service, a supplier, manufacturer or provider a Vendor; nested ones are parts of what they stand in, or what
  it depends on where the schema has no edge for parts;
- the datasets of a model card are what the model is trained on; an ancestor in a pedigree is what a model is
  fine-tuned from and anything else derived from;
- a dependency of a dataset on a dataset is derivation, of a model on a dataset training, else plain dependency;
- a task of a formulation with datasets in and a model out is training.

What the schema has no place for is counted and told once for each kind of it. A purl is identity; else group, name and
version within the BOM, which its serial number sets apart. References between BOMs are BOM-Links (``urn:cdx:…``).
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from policy_dsl.typed.schema import Schema
from policy_dsl.typed.types import EnumType, SetType, Simple
from policy_engine.lineage.binding import describe, read_value
from policy_engine.lineage.claims import AttributeClaim, Claims, EdgeClaim, NodeClaim
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Origin, Source
from policy_engine.lineage.importers.shapes import Shapes
from policy_engine.lineage.names import says_nothing

VERSIONS = ("1.5", "1.6", "1.7")
_KINDS = {"machine-learning-model": "Model", "data": "Dataset"}
_SERIAL = re.compile(r"urn:uuid:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
# What RFC 3986 section 3.5 lets stand in a fragment as it is.
_IN_FRAGMENT = "/?:@!$&'()*+,;="
_VENDOR = "urn:ai-policy-engine:vendor:"

_Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class CycloneDxImporter:
    """Reads CycloneDX BOMs."""

    name: str = "cyclonedx"
    sign: str = 'a CycloneDX BOM, which holds `"bomFormat": "CycloneDX"`'

    def detects(self, document: Document) -> bool:
        """Tell whether a document is a CycloneDX BOM."""
        return isinstance(document.content, dict) and document.content.get("bomFormat") == "CycloneDX"

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what a BOM asserts."""
        bom = document.content if isinstance(document.content, dict) else {}
        return _Bom(bom, source, schema).claims()


@dataclass(frozen=True, slots=True)
class _Thing:
    """A thing of the BOM that is kept."""

    id: str
    kind: str


class _Bom:
    def __init__(self, bom: _Entry, source: Source, schema: Schema) -> None:
        self._bom = bom
        self._source = source
        self._schema = schema
        self._shapes = Shapes(source.name, own=False)
        self._serial, self._link_base = self._identity()
        self._nodes: list[NodeClaim] = []
        self._attributes: list[AttributeClaim] = []
        self._edges: list[EdgeClaim] = []
        # By bom-ref; nothing for a thing that is not kept.
        self._refs: dict[str, _Thing | None] = {}
        # Datasets of model cards that are references: known only when everything is read.
        self._learns_from: list[tuple[_Thing, str, str]] = []
        self._skipped: dict[str, tuple[str, int]] = {}

    def claims(self) -> Claims:
        source = self._with_head()
        metadata, at = self._shapes.part(self._bom, "metadata", "")
        if metadata.get("component") is not None:
            component, here = self._shapes.part(metadata, "component", at)
            self._component(component, here)
        self._things(self._bom, "")
        for formula, here in self._shapes.parts(self._bom, "formulation", ""):
            self._things(formula, here)
        self._training_data()
        self._dependencies()
        self._compositions()
        for formula, here in self._shapes.parts(self._bom, "formulation", ""):
            for workflow, place in self._shapes.parts(formula, "workflows", here):
                self._activity(workflow, place)
                for task, task_place in self._shapes.parts(workflow, "tasks", place):
                    self._activity(task, task_place)
        for message, (pointer, count) in self._skipped.items():
            times = f" ({count} times)" if count > 1 else ""
            self._shapes.report("PE3131", f"{message}{times}", pointer)
        problems = tuple(self._shapes.problems)
        return Claims((source,), False, tuple(self._nodes), tuple(self._attributes), tuple(self._edges), problems)

    # The BOM itself

    def _identity(self) -> tuple[str, str]:
        """Return what sets the BOM's names apart from those of others, and what its BOM-Links begin with."""
        serial = self._shapes.text(self._bom, "serialNumber", "")
        version = self._bom.get("version", 1)
        match = _SERIAL.fullmatch(serial) if serial else None
        if match is None:
            return self._source.name, f"{self._source.name}#bom-ref:"
        number = version if isinstance(version, int) and not isinstance(version, bool) else 1
        return match[0].lower(), f"urn:cdx:{match[1].lower()}/{number}#"

    def _with_head(self) -> Source:
        version = self._bom.get("specVersion")
        if version not in VERSIONS:
            message = f"the version of CycloneDX is {describe(version)}; it is read as {VERSIONS[-1]}"
            self._shapes.report("PE3123", message, "/specVersion")
        metadata, at = self._shapes.part(self._bom, "metadata", "")
        source = replace(self._source, asserted_by=self._asserted_by(metadata, at) or self._source.asserted_by)
        if metadata.get("timestamp") is None:
            return source
        when = read_value(metadata["timestamp"], Simple.INSTANT)
        if isinstance(when, datetime):
            return replace(source, asserted_at=when)
        self._shapes.wrong(metadata["timestamp"], "an instant with its offset from UTC", f"{at}/timestamp")
        return source

    def _asserted_by(self, metadata: _Entry, at: str) -> str | None:
        """Return who made the BOM: its authors, else its maker, else the tool that wrote it."""
        makers = list(self._shapes.parts(metadata, "authors", at))
        makers += [self._shapes.part(metadata, key, at) for key in ("manufacturer", "manufacture", "supplier")]
        tools = metadata.get("tools")
        if isinstance(tools, dict):
            makers += list(self._shapes.parts(tools, "components", f"{at}/tools"))
        else:
            makers += list(self._shapes.parts(metadata, "tools", at))
        for maker, here in makers:
            name = self._shapes.text(maker, "name", here)
            if name and not says_nothing(name):
                return name
        return None

    # Things

    def _things(self, of: _Entry, at: str, parent: _Thing | None = None) -> None:
        for component, here in self._shapes.parts(of, "components", at):
            self._part_of(self._component(component, here), parent, here)
        for service, here in self._shapes.parts(of, "services", at):
            self._part_of(self._service(service, here), parent, here)

    def _part_of(self, thing: _Thing | None, parent: _Thing | None, at: str) -> None:
        """Say that a thing stands inside another, by whichever edge the schema has for that."""
        if thing and parent:
            if self._fits("part_of", thing, parent):
                self._edge("part_of", thing, parent, at)
            elif self._fits("component_of", thing, parent):
                self._edge("component_of", thing, parent, at)
            else:
                self._edge("depends_on", parent, thing, at)

    def _component(self, entry: _Entry, at: str) -> _Thing | None:
        kind_word = self._shapes.text(entry, "type", at)
        thing = self._thing(entry, at, _KINDS.get(kind_word or "", "Component"))
        if thing is not None:
            self._licence(thing, entry, at)
            self._digest(thing, entry, at)
            for key in ("supplier", "manufacturer"):
                self._vendor(thing, entry, key, at)
            self._model_card(thing, entry, at)
            self._pedigree(thing, entry, at)
        self._data(thing, entry, at)
        self._things(entry, at, thing)
        return thing

    def _service(self, entry: _Entry, at: str) -> _Thing | None:
        thing = self._thing(entry, at, "Service")
        if thing is not None:
            self._licence(thing, entry, at)
            self._vendor(thing, entry, "provider", at)
        self._things(entry, at, thing)
        return thing

    def _thing(self, entry: _Entry, at: str, kind: str) -> _Thing | None:
        """Claim a node for an entry with the facts that every entry has; nothing if it cannot be kept."""
        ref, name = self._shapes.text(entry, "bom-ref", at), self._shapes.text(entry, "name", at)
        thing: _Thing | None = None
        if kind not in self._schema.kinds:
            self._skip(f"things that would be of kind {kind} are not kept: the schema has no such kind", at)
        elif node_id := self._id(entry, ref, name, at):
            thing = _Thing(node_id, kind)
            links = (self._link(ref),) if ref else ()
            self._nodes.append(NodeClaim(node_id, kind, links, (self._origin(at),)))
            for key in ("name", "description", "version"):
                self._attribute(thing, key, self._shapes.text(entry, key, at), f"{at}/{key}")
        else:
            self._shapes.report("PE3120", "a thing needs a `name`", at)
        if ref:
            self._refs.setdefault(ref, thing)
        return thing

    def _id(self, entry: _Entry, ref: str | None, name: str | None, at: str) -> str | None:
        purl = self._shapes.text(entry, "purl", at)
        if purl:
            return purl
        if not name:
            return self._link(ref) if ref else None
        group, version = self._shapes.text(entry, "group", at), self._shapes.text(entry, "version", at)
        return f"{self._serial}#{f'{group}/' if group else ''}{name}{f'@{version}' if version else ''}"

    def _link(self, ref: str) -> str:
        """Return the name of a bom-ref that is unique among BOMs; a BOM-Link into another BOM is one already."""
        return ref if ref.startswith("urn:cdx:") else self._link_base + quote(ref, safe=_IN_FRAGMENT)

    # Facts of things

    def _licence(self, thing: _Thing, entry: _Entry, at: str) -> None:
        found = []
        for choice, here in self._shapes.parts(entry, "licenses", at):
            licence, place = self._shapes.part(choice, "license", here)
            name = self._shapes.text(choice, "expression", here)
            name = name or self._shapes.text(licence, "id", place) or self._shapes.text(licence, "name", place)
            if name:
                found.append(name)
        attribute = self._schema.kinds[thing.kind].attributes.get("licence")
        if len(found) > 1 and attribute is not None and not isinstance(attribute.type, SetType):
            self._skip("several licences are not kept: `licence` has one value", f"{at}/licenses")
        elif found:
            self._attribute(thing, "licence", found if len(found) > 1 else found[0], f"{at}/licenses")

    def _digest(self, thing: _Thing, entry: _Entry, at: str) -> None:
        for digest, here in self._shapes.parts(entry, "hashes", at):
            if digest.get("alg") != "SHA-256":
                continue
            content = self._shapes.text(digest, "content", here)
            if content and _SHA256.fullmatch(content):
                self._attribute(thing, "digest", f"sha256:{content.lower()}", f"{here}/content")
            elif content:
                self._shapes.wrong(content, "a SHA-256 digest in hexadecimal", f"{here}/content")

    def _vendor(self, thing: _Thing, entry: _Entry, key: str, at: str) -> None:
        organisation, here = self._shapes.part(entry, key, at)
        name = self._shapes.text(organisation, "name", here)
        if not name or says_nothing(name):
            return
        if "Vendor" not in self._schema.kinds:
            self._skip("suppliers are not kept: the schema has no kind Vendor", here)
            return
        # Of an organisation a BOM has nothing more stable than its name; the inventory can declare it as an alias.
        vendor = _Thing(_VENDOR + quote(name.strip(), safe=""), "Vendor")
        self._nodes.append(NodeClaim(vendor.id, vendor.kind, (), (self._origin(here),)))
        self._attribute(vendor, "name", name.strip(), f"{here}/name")
        self._edge("supplied_by", thing, vendor, here)

    def _model_card(self, thing: _Thing, entry: _Entry, at: str) -> None:
        card, card_at = self._shapes.part(entry, "modelCard", at)
        parameters, here = self._shapes.part(card, "modelParameters", card_at)
        approach, approach_at = self._shapes.part(parameters, "approach", here)
        self._attribute(thing, "task", self._shapes.text(parameters, "task", here), f"{here}/task")
        self._attribute(thing, "approach", self._shapes.text(approach, "type", approach_at), f"{approach_at}/type")
        self._architecture(thing, parameters, here)
        for dataset, place in self._shapes.parts(parameters, "datasets", here):
            ref = self._shapes.text(dataset, "ref", place)
            if ref is not None:
                self._learns_from.append((thing, ref, f"{place}/ref"))
            elif inline := self._thing(dataset, place, "Dataset"):
                self._facts_of_data(inline, dataset, place)
                self._edge("trained_on", thing, inline, place)

    def _architecture(self, thing: _Thing, parameters: _Entry, at: str) -> None:
        family, model = (self._shapes.text(parameters, key, at) for key in ("architectureFamily", "modelArchitecture"))
        if model is not None:
            self._attribute(thing, "architecture", model, f"{at}/modelArchitecture")
            self._attribute(thing, "architecture_family", family, f"{at}/architectureFamily")
        else:
            self._attribute(thing, "architecture", family, f"{at}/architectureFamily")

    def _data(self, thing: _Thing | None, entry: _Entry, at: str) -> None:
        """Read what a component of type ``data`` says of its contents."""
        entries = list(self._shapes.parts(entry, "data", at))
        for data, here in entries:
            ref = self._shapes.text(data, "bom-ref", here)
            if ref:
                self._refs.setdefault(ref, thing)
            if thing is not None and len(entries) == 1:
                self._facts_of_data(thing, data, here)
                if not entry.get("description"):
                    description = self._shapes.text(data, "description", here)
                    self._attribute(thing, "description", description, f"{here}/description")

    def _facts_of_data(self, thing: _Thing, data: _Entry, at: str) -> None:
        classification = self._shapes.text(data, "classification", at)
        self._attribute(thing, "classification", classification, f"{at}/classification")
        sensitive = [text for text, _ in self._shapes.texts(data, "sensitiveData", at)]
        self._attribute(thing, "sensitive_data", sensitive or None, f"{at}/sensitiveData")
        governance, here = self._shapes.part(data, "governance", at)
        owners = []
        for owner, place in self._shapes.parts(governance, "owners", here):
            for key in ("organization", "contact"):
                party, party_at = self._shapes.part(owner, key, place)
                owners += [name for name in (self._shapes.text(party, "name", party_at),) if name]
        if len(owners) == 1:
            self._attribute(thing, "owner", owners[0], f"{here}/owners")
        elif owners:
            self._skip("several owners are not kept: `owner` has one value", f"{here}/owners")

    def _pedigree(self, thing: _Thing, entry: _Entry, at: str) -> None:
        pedigree, here = self._shapes.part(entry, "pedigree", at)
        for key in ("ancestors", "descendants"):
            for relative, place in self._shapes.parts(pedigree, key, here):
                other = self._component(relative, place)
                if other is not None:
                    child, parent = (thing, other) if key == "ancestors" else (other, thing)
                    both_models = child.kind == parent.kind == "Model"
                    self._edge("finetuned_from" if both_models else "derived_from", child, parent, place)

    # Relations by reference

    def _training_data(self) -> None:
        for thing, ref, at in self._learns_from:
            if ref.startswith("urn:cdx:"):
                # A thing of another BOM: if no such BOM is there, joining makes a dataset of it, with a warning.
                self._edge("trained_on", thing, _Thing(ref, "Dataset"), at)
            elif ref not in self._refs:
                self._edge("trained_on", thing, self._missing_dataset(ref, at), at)
            elif dataset := self._refs[ref]:
                self._edge("trained_on", thing, dataset, at)

    def _missing_dataset(self, ref: str, at: str) -> _Thing:
        """Keep a dataset that is referred to and not there: leaving it out would make the model look cleaner."""
        self._shapes.report("PE3130", f"the reference `{ref}` leads to nothing; it is kept as an unknown dataset", at)
        dataset = _Thing(self._link(ref), "Dataset")
        if dataset.kind in self._schema.kinds:
            self._nodes.append(NodeClaim(dataset.id, dataset.kind, (), (self._origin(at),)))
            self._refs[ref] = dataset
        return dataset

    def _dependencies(self) -> None:
        for dependency, at in self._shapes.parts(self._bom, "dependencies", ""):
            ref = self._shapes.text(dependency, "ref", at)
            thing = self._resolve(ref, f"{at}/ref") if ref else None
            for target, here in self._shapes.texts(dependency, "dependsOn", at):
                other = self._resolve(target, here)
                if thing and other:
                    name = {("Dataset", "Dataset"): "derived_from", ("Model", "Dataset"): "trained_on"}
                    self._edge(name.get((thing.kind, other.kind), "depends_on"), thing, other, here)

    def _compositions(self) -> None:
        for composition, at in self._shapes.parts(self._bom, "compositions", ""):
            aggregate = self._shapes.text(composition, "aggregate", at)
            for key in ("assemblies", "dependencies"):
                for ref, here in self._shapes.texts(composition, key, at):
                    thing = self._resolve(ref, here)
                    if thing:
                        self._attribute(thing, "aggregate", aggregate, f"{at}/aggregate")

    def _activity(self, activity: _Entry, at: str) -> None:
        """Read what goes into a workflow or task and what comes out of it."""
        taken = self._resources(activity, "inputs", at)
        for made, here in self._resources(activity, "outputs", at):
            for used, _ in taken:
                if used.kind == "Dataset" and made.kind in ("Model", "Dataset") and used != made:
                    self._edge("trained_on" if made.kind == "Model" else "derived_from", made, used, here)

    def _resources(self, activity: _Entry, key: str, at: str) -> list[tuple[_Thing, str]]:
        found = []
        for item, here in self._shapes.parts(activity, key, at):
            resource, place = self._shapes.part(item, "resource", here)
            ref = self._shapes.text(resource, "ref", place)
            # A workflow may also refer to its own tasks and workspaces, which are no things of the estate.
            if ref and (thing := self._refs.get(ref)):
                found.append((thing, place))
        return found

    def _resolve(self, ref: str, at: str) -> _Thing | None:
        if ref not in self._refs:
            self._shapes.report("PE3130", f"the reference `{ref}` leads to nothing in this document", at)
            self._refs[ref] = None  # told once
        return self._refs[ref]

    # Claims

    def _attribute(self, thing: _Thing, name: str, raw: object, at: str) -> None:
        if raw is None:
            return
        attribute = self._schema.kinds[thing.kind].attributes.get(name)
        if attribute is None:
            self._skip(f"`{name}` is not kept: {thing.kind} has no such attribute", at)
            return
        if isinstance(attribute.type, EnumType) and isinstance(raw, str):
            raw = raw.replace("-", "_")  # a member of an enumeration is a word of the language
        self._attributes.append(AttributeClaim(thing.id, name, raw, (self._origin(at),)))

    def _edge(self, name: str, source: _Thing, target: _Thing, at: str) -> None:
        if self._fits(name, source, target):
            self._edges.append(EdgeClaim(name, source.id, target.id, (self._origin(at),)))
        else:
            self._skip(f"`{name}` is not kept: the schema has no such edge from {source.kind} to {target.kind}", at)

    def _fits(self, name: str, source: _Thing, target: _Thing) -> bool:
        found = self._schema.edge_named(name)
        if found is None:
            return False
        edge, turned = found
        ends = (target.kind, source.kind) if turned else (source.kind, target.kind)
        return self._schema.connects(edge, *ends)

    def _skip(self, message: str, at: str) -> None:
        first, count = self._skipped.get(message, (at, 0))
        self._skipped[message] = (first, count + 1)

    def _origin(self, at: str) -> Origin:
        return Origin(self._source.name, at)
