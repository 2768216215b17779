"""CycloneDX 1.5 to 1.7 in JSON (ECMA-424): models, datasets, services, their makers, and how they come from each other.

What becomes what:

- a component is a Model (``machine-learning-model``), a Dataset (``data``) or a Component (any other type), a service
  a Service, a supplier, manufacturer or provider a Vendor; nested ones are parts of what they stand in, or what
  it depends on where the schema has no edge for parts;
- the datasets of a model card are what the model is trained on; an ancestor in a pedigree is what a model is
  fine-tuned from and anything else derived from;
- a dependency of a dataset on a dataset is derivation, of a model on a dataset training, else plain dependency;
- the rest of a model card is what `cyclonedx_cards` reads, a formulation what `cyclonedx_formulas` reads;
- declarations are claims of their makers and never evidence, which is signed and judged: they are not kept;
- what a citation points at is asserted by whom it names too.

A purl is identity; else group, name and version within the BOM, which its serial number sets apart. References between
BOMs are BOM-Links (``urn:cdx:…``).
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from policy_dsl.typed.schema import Schema
from policy_dsl.typed.types import SetType
from policy_engine.lineage.binding import describe
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.cyclonedx_cards import read_data, read_model_card
from policy_engine.lineage.importers.cyclonedx_citations import attribute_cited
from policy_engine.lineage.importers.cyclonedx_formulas import read_formulas
from policy_engine.lineage.importers.gathering import Gathering, Thing
from policy_engine.lineage.importers.missing import says_nothing
from policy_engine.lineage.importers.placeholders import filled

VERSIONS = ("1.5", "1.6", "1.7")
_KINDS = {"machine-learning-model": "Model", "data": "Dataset"}
_SERIAL = re.compile(r"urn:uuid:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
# What RFC 3986 section 3.5 lets stand in a fragment as it is.
_IN_FRAGMENT = "/?:@!$&'()*+,;="

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


class _Bom:
    def __init__(self, bom: _Entry, source: Source, schema: Schema) -> None:
        self._bom = bom
        self._schema = schema
        self._gathering = Gathering(source, schema)
        self._shapes = self._gathering.shapes
        self._serial, self._link_base = self._identity()
        # By bom-ref; nothing for a thing that is not kept.
        self._refs: dict[str, Thing | None] = {}
        # Datasets of model cards: which ones is known only when everything is read.
        self._learns_from: list[tuple[Thing, _Entry, str]] = []

    def claims(self) -> Claims:
        self._head()
        attribute_cited(self._gathering, self._bom)
        metadata, at = self._shapes.part(self._bom, "metadata", "")
        if metadata.get("component") is not None:
            component, here = self._shapes.part(metadata, "component", at)
            self._component(component, here)
        self._things(self._bom, "")
        for formula, here in self._shapes.parts(self._bom, "formulation", ""):
            self._things(formula, here)
        self._declarations()
        self._training_data()
        self._dependencies()
        self._compositions()
        read_formulas(self._gathering, self._bom, self._serial, self._refs)
        return self._gathering.claims()

    # The BOM itself

    def _identity(self) -> tuple[str, str]:
        """Return what sets the BOM's names apart from those of others, and what its BOM-Links begin with."""
        serial = self._shapes.text(self._bom, "serialNumber", "")
        version = self._bom.get("version", 1)
        match = _SERIAL.fullmatch(serial) if serial else None
        if match is None:
            return self._gathering.source.name, f"{self._gathering.source.name}#bom-ref:"
        number = version if isinstance(version, int) and not isinstance(version, bool) else 1
        return match[0].lower(), f"urn:cdx:{match[1].lower()}/{number}#"

    def _head(self) -> None:
        version = self._bom.get("specVersion")
        if version not in VERSIONS:
            message = f"the version of CycloneDX is {describe(version)}; it is read as {VERSIONS[-1]}"
            self._shapes.report("PE3123", message, "/specVersion")
        metadata, at = self._shapes.part(self._bom, "metadata", "")
        self._gathering.stated(self._asserted_by(metadata, at), metadata.get("timestamp"), f"{at}/timestamp")

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

    def _things(self, of: _Entry, at: str, parent: Thing | None = None) -> None:
        for component, here in self._shapes.parts(of, "components", at):
            self._part_of(self._component(component, here), parent, here)
        for service, here in self._shapes.parts(of, "services", at):
            self._part_of(self._service(service, here), parent, here)

    def _part_of(self, thing: Thing | None, parent: Thing | None, at: str) -> None:
        if thing and parent:
            self._gathering.part_of(thing, parent, at)

    def _component(self, entry: _Entry, at: str) -> Thing | None:
        kind_word = self._shapes.text(entry, "type", at)
        thing = self._thing(entry, at, _KINDS.get(kind_word or "", "Component"))
        if thing is not None:
            self._licence(thing, entry, at)
            self._digest(thing, entry, at)
            for key in ("supplier", "manufacturer"):
                self._vendor(thing, entry, key, at)
            self._learns_from += [
                (thing, data, here) for data, here in read_model_card(self._gathering, thing, entry, at)
            ]
            self._pedigree(thing, entry, at)
        self._data(thing, entry, at)
        self._things(entry, at, thing)
        return thing

    def _service(self, entry: _Entry, at: str) -> Thing | None:
        thing = self._thing(entry, at, "Service")
        if thing is not None:
            self._licence(thing, entry, at)
            self._vendor(thing, entry, "provider", at)
        self._things(entry, at, thing)
        return thing

    def _thing(self, entry: _Entry, at: str, kind: str) -> Thing | None:
        """Claim a node for an entry with the facts that every entry has; nothing if it cannot be kept."""
        ref, name = self._shapes.text(entry, "bom-ref", at), self._shapes.text(entry, "name", at)
        node_id = self._id(entry, ref, name, at)
        thing = None
        if node_id is None and kind in self._schema.kinds:
            self._shapes.report("PE3120", "a thing needs a `name`", at)
        else:
            thing = self._gathering.thing(node_id or "", kind, at, (self._link(ref),) if ref else ())
        if thing is not None:
            for key in ("name", "description", "version"):
                self._attribute(thing, key, self._shapes.text(entry, key, at), f"{at}/{key}")
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

    def _licence(self, thing: Thing, entry: _Entry, at: str) -> None:
        found = []
        for choice, here in self._shapes.parts(entry, "licenses", at):
            licence, place = self._shapes.part(choice, "license", here)
            name = self._shapes.text(choice, "expression", here)
            name = name or self._shapes.text(licence, "id", place) or self._shapes.text(licence, "name", place)
            if name:
                found.append(name)
        attribute = self._schema.kinds[thing.kind].attributes.get("licence")
        if len(found) > 1 and attribute is not None and not isinstance(attribute.type, SetType):
            self._gathering.skip("several licences are not kept: `licence` has one value", f"{at}/licenses")
        elif found:
            self._attribute(thing, "licence", found if len(found) > 1 else found[0], f"{at}/licenses")

    def _digest(self, thing: Thing, entry: _Entry, at: str) -> None:
        for digest, here in self._shapes.parts(entry, "hashes", at):
            if digest.get("alg") == "SHA-256":
                self._gathering.digest(thing, digest.get("content") or None, f"{here}/content")

    def _vendor(self, thing: Thing, entry: _Entry, key: str, at: str) -> None:
        organisation, here = self._shapes.part(entry, key, at)
        name = self._shapes.text(organisation, "name", here)
        if name:
            self._gathering.vendor(thing, name, here)

    def _data(self, thing: Thing | None, entry: _Entry, at: str) -> None:
        """Read what a component of type ``data`` says of its contents."""
        entries = list(self._shapes.parts(entry, "data", at))
        for data, here in entries:
            ref = self._shapes.text(data, "bom-ref", here)
            if ref:
                self._refs.setdefault(ref, thing)
            if thing is not None and len(entries) == 1:
                read_data(self._gathering, thing, data, here)
                if not entry.get("description"):
                    description = self._shapes.text(data, "description", here)
                    self._attribute(thing, "description", description, f"{here}/description")

    def _pedigree(self, thing: Thing, entry: _Entry, at: str) -> None:
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
        for thing, data, at in self._learns_from:
            if dataset := self._dataset(data, at):
                self._edge("trained_on", thing, dataset, at)

    def _dataset(self, data: _Entry, at: str) -> Thing | None:
        """Return a dataset of a model card, which describes it or refers to it."""
        ref = self._shapes.text(data, "ref", at)
        if ref is None:
            inline = self._thing(data, at, "Dataset")
            if inline is not None:
                read_data(self._gathering, inline, data, at)
            return inline
        if ref.startswith("urn:cdx:") and ref not in self._refs:
            # A thing of another BOM: if no such BOM is there, joining makes a dataset of it, with a warning.
            return Thing(ref, "Dataset")
        return self._refs[ref] if ref in self._refs else self._missing_dataset(ref, f"{at}/ref")

    def _missing_dataset(self, ref: str, at: str) -> Thing | None:
        """Keep a dataset that is referred to and not there: leaving it out would make the model look cleaner."""
        self._shapes.report("PE3130", f"the reference `{ref}` leads to nothing; it is kept as an unknown dataset", at)
        dataset = self._gathering.thing(self._link(ref), "Dataset", at)
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

    def _declarations(self) -> None:
        """Read what declarations are about; what they declare has no place, since evidence is signed and judged."""
        declarations, at = self._shapes.part(self._bom, "declarations", "")
        targets, here = self._shapes.part(declarations, "targets", at)
        self._things(targets, here)
        for key in ("attestations", "claims", "evidence"):
            for _, place in self._shapes.parts(declarations, key, at):
                self._gathering.skip(
                    "declarations are claims of their makers and no evidence: they are not kept", place
                )

    def _resolve(self, ref: str, at: str) -> Thing | None:
        if ref not in self._refs:
            self._shapes.report("PE3130", f"the reference `{ref}` leads to nothing in this document", at)
            self._refs[ref] = None  # told once
        return self._refs[ref]

    # Claims

    def _attribute(self, thing: Thing, name: str, raw: object, at: str) -> None:
        text = filled(self._gathering, raw, at) if isinstance(raw, str) else raw
        self._gathering.attribute(thing, name, text, at)

    def _edge(self, name: str, source: Thing, target: Thing, at: str) -> None:
        self._gathering.edge(name, source, target, at)
