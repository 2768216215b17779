"""Croissant 0.8 to 1.1 in JSON-LD, with its responsible AI (RAI) and provenance properties: what is known of a dataset.

What becomes what:

- the dataset is a Dataset, called by its address; its creator, else its publisher, is the Vendor;
- what it was derived from is a Dataset that it is ``derived_from``; what was done to it is its preprocessing;
- RAI properties are the attributes of `_RAI`, by the letters of Art. 10(2) of the AI Act that they speak to;
- the SHA-256 of the one file that holds everything is the digest; of several files none is.

A property has the prefix of its vocabulary or not. A file may hold a list of datasets. Fields, records and files
within archives are not kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.gathering import Gathering, Thing
from policy_engine.lineage.importers.missing import says_nothing

VERSIONS = ("1.0", "1.1")
_CONFORMS = re.compile(r"https?://mlcommons\.org/croissant/(?:RAI/)?([0-9.]+)")
_VOCABULARY = "mlcommons.org/"
_PREFIXES = ("", "sc:", "schema:", "https://schema.org/", "http://schema.org/", "cr:", "ml:", "dct:", "prov:", "rai:")
_ADDRESS = re.compile(r"(https?://|doi:|urn:|pkg:)\S+")
# The web pages of data on the Hugging Face hub, which are the names of those data.
_HUB_DATA = re.compile(r"https://huggingface\.co/datasets/[^/?#]+/[^/?#]+")
_RAI: dict[str, tuple[str, ...]] = {
    "collection": ("dataCollection", "dataCollectionType", "dataCollectionRawData"),
    "preprocessing": ("dataPreprocessingProtocol", "dataManipulationProtocol", "dataImputationProtocol"),
    "annotation": (
        "dataAnnotationProtocol",
        "dataAnnotationPlatform",
        "dataAnnotationAnalysis",
        "annotatorDemographics",
        "machineAnnotationTools",
    ),
    "intended_use": ("dataUseCases",),
    "known_biases": ("dataBiases",),
    "social_impact": ("dataSocialImpact",),
    "limitations": ("dataLimitations", "dataCollectionMissingData"),
    "update_plan": ("dataReleaseMaintenancePlan",),
    "sensitive_data": ("personalSensitiveInformation",),
}

_Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class CroissantImporter:
    """Reads Croissant descriptions of datasets."""

    name: str = "croissant"
    sign: str = "a Croissant description of a dataset, which names the vocabulary of mlcommons.org"

    def detects(self, document: Document) -> bool:
        """Tell whether a document describes datasets in Croissant."""
        content = document.content
        entries = content if isinstance(content, list) else [content]
        return bool(entries) and all(_is_croissant(entry) for entry in entries)

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what a description asserts."""
        gathering = Gathering(source, schema)
        content = document.content
        if isinstance(content, list):
            for number, entry in enumerate(content):
                _Dataset(entry, f"/{number}", gathering).read()
        elif isinstance(content, dict):
            _Dataset(content, "", gathering).read()
        return gathering.claims()


def _is_croissant(entry: object) -> bool:
    if not isinstance(entry, dict) or not any(kind.rpartition(":")[2].endswith("Dataset") for kind in _kinds(entry)):
        return False
    context = entry.get("@context")
    named = [*context.values()] if isinstance(context, dict) else context if isinstance(context, list) else [context]
    versions = entry.get(_written(entry, "conformsTo"))
    named += versions if isinstance(versions, list) else [versions]
    return any(isinstance(each, str) and _VOCABULARY in each for each in named)


def _kinds(entry: _Entry) -> list[str]:
    raw = entry.get("@type")
    return [kind for kind in (raw if isinstance(raw, list) else [raw]) if isinstance(kind, str)]


def _written(entry: _Entry, key: str) -> str:
    """Return the key as an entry writes it: with the prefix of a vocabulary or without."""
    return next((name for prefix in _PREFIXES if (name := prefix + key) in entry), key)


class _Dataset:
    def __init__(self, entry: _Entry, at: str, gathering: Gathering) -> None:
        self._entry = entry
        self._at = at
        self._gathering = gathering
        self._shapes = gathering.shapes

    def read(self) -> None:
        self._head()
        names = [text for key in ("@id", "url", "identifier", "sameAs") for text, _ in self._texts(key)]
        addresses = [name for name in names if _ADDRESS.fullmatch(name)]
        name = next((text for text, _ in self._texts("name")), None)
        if not addresses and not name:
            self._shapes.report("PE3120", "a dataset needs a `url` or a `name`", self._at)
            return
        addresses += [found[0] for url in self._repositories() if (found := _HUB_DATA.match(url))]
        node_id = addresses[0] if addresses else f"{self._gathering.source.name}#{name}"
        thing = self._gathering.thing(node_id, "Dataset", self._at or "", tuple(addresses))
        if thing is not None:
            self._facts(thing)
            self._prose(thing)
            self._digest(thing)
            self._suppliers(thing)
            self._provenance(thing)

    def _head(self) -> None:
        versions = [_CONFORMS.match(text) for text, _ in self._texts("conformsTo")]
        unknown = [found[1] for found in versions if found and found[1].rstrip(".") not in VERSIONS]
        if unknown and not any(found and found[1] in VERSIONS for found in versions):
            message = f"the version of Croissant is `{unknown[0]}`; it is read as {VERSIONS[-1]}"
            self._shapes.report("PE3123", message, f"{self._at}/{_written(self._entry, 'conformsTo')}")
        makers = [name for key in ("sdPublisher", "publisher", "creator") for name, _ in self._parties(key)]
        self._gathering.stated(makers[0] if makers else None, None, self._at)
        for key in ("sdDatePublished", "dateModified", "datePublished"):
            for text, here in self._texts(key):
                # Most dates here have no zone; their day is sure enough.
                day = text if text[-1:] in ("Z", "z") else text[:10]
                self._gathering.stated(None, day, here)
                return

    # Facts

    def _facts(self, thing: Thing) -> None:
        for key, attribute in (("name", "name"), ("description", "description"), ("version", "version")):
            raw = self._entry.get(written := _written(self._entry, key))
            # A version is often written as a number.
            text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
            if isinstance(text, str):
                self._gathering.attribute(thing, attribute, text, f"{self._at}/{written}")
            elif text is not None:
                self._shapes.wrong(raw, "a text", f"{self._at}/{written}")
        licences = list(self._licences())
        if len(licences) > 1:
            self._gathering.skip("several licences are not kept: `licence` has one value", licences[0][1])
        for licence, here in licences[:1] if len(licences) == 1 else ():
            self._gathering.attribute(thing, "licence", licence, here)
        languages = list(self._texts("inLanguage"))
        if languages:
            self._gathering.attribute(thing, "languages", [text for text, _ in languages], languages[0][1])

    def _licences(self) -> Iterator[tuple[str, str]]:
        for raw, here in self._items(self._entry, "license", self._at):
            said = [raw] if isinstance(raw, str) else []
            if isinstance(raw, dict):
                said = [text for key in ("name", "url", "@id") if isinstance(text := raw.get(_written(raw, key)), str)]
            elif not said:
                self._shapes.wrong(raw, "a text or a mapping", here)
            if said and not says_nothing(said[0]):
                yield said[0], here

    def _prose(self, thing: Thing) -> None:
        for attribute, keys in _RAI.items():
            found = [(text, here) for key in keys for text, here in self._texts(key)]
            found += self._activities() if attribute == "preprocessing" else ()
            self._gathering.attribute(thing, attribute, [text for text, _ in found], found[0][1] if found else self._at)
        days = [(text[:10], here) for text, here in self._texts("dataCollectionTimeframe")]
        if days and (last := days[-1]) and _is_day(last[0]):
            self._gathering.attribute(thing, "collected_on", last[0], last[1])

    def _activities(self) -> Iterator[tuple[str, str]]:
        for activity, here in self._parts("wasGeneratedBy"):
            text = activity.get(_written(activity, "description"))
            if isinstance(text, str):
                yield text, here

    def _digest(self, thing: Thing) -> None:
        files = [
            (file, here)
            for file, here in self._parts("distribution")
            if any(kind.endswith("FileObject") for kind in _kinds(file)) and not file.get(_written(file, "containedIn"))
        ]
        if len(files) == 1 and "git+https" not in str(files[0][0].get("encodingFormat")):
            file, here = files[0]
            self._gathering.digest(thing, file.get("sha256"), f"{here}/sha256")

    def _repositories(self) -> Iterator[str]:
        for file, here in self._parts("distribution"):
            if file.get("encodingFormat") == "git+https":
                url = self._shapes.text(file, "contentUrl", here)
                if url:
                    yield url

    # Who made it, and from what

    def _suppliers(self, thing: Thing) -> None:
        for key in ("wasAttributedTo", "creator", "publisher"):
            parties = list(self._parties(key))
            for name, here in parties:
                self._gathering.vendor(thing, name, here)
            if parties:
                return

    def _parties(self, key: str) -> Iterator[tuple[str, str]]:
        """Yield the names of persons and organisations, of which one entry may hold several."""
        for raw, here in self._items(self._entry, key, self._at):
            if isinstance(raw, str):
                yield raw, here
                continue
            party = self._shapes.mapping(raw, here) or {}
            for written in (_written(party, "name"), _written(party, "label")):
                names = party.get(written)
                for name in names if isinstance(names, list) else [names]:
                    if isinstance(name, str) and name:
                        yield name, here

    def _provenance(self, thing: Thing) -> None:
        for raw, here in self._items(self._entry, "wasDerivedFrom", self._at):
            entity: _Entry = {"@id": raw} if isinstance(raw, str) else self._shapes.mapping(raw, here) or {}
            named = [entity.get(_written(entity, key)) for key in ("atLocation", "url", "@id")]
            label = next(
                (n for key in ("label", "name") if isinstance(n := entity.get(_written(entity, key)), str)), None
            )
            texts = [text for text in (*named, label) if isinstance(text, str) and not says_nothing(text)]
            if not texts:
                self._shapes.report("PE3120", "what a dataset was derived from needs a location or an id", here)
                continue
            address = next((text for text in texts if _ADDRESS.fullmatch(text)), None)
            origin = self._gathering.thing(address or f"{self._gathering.source.name}#{texts[0]}", "Dataset", here)
            if origin is not None:
                self._gathering.attribute(origin, "name", label, here)
                self._gathering.edge("derived_from", thing, origin, here)

    # Shapes

    def _items(self, entry: _Entry, key: str, at: str) -> Iterator[tuple[object, str]]:
        """Yield what stands under a key, of which there may be one alone or a list."""
        raw, here = entry.get(written := _written(entry, key)), f"{at}/{written}"
        for number, item in enumerate(raw) if isinstance(raw, list) else ():
            yield item, f"{here}/{number}"
        if raw is not None and not isinstance(raw, list):
            yield raw, here

    def _texts(self, key: str) -> Iterator[tuple[str, str]]:
        for raw, here in self._items(self._entry, key, self._at):
            # JSON-LD writes an address as a mapping of its own, and a value with its language or type.
            text = next((raw[k] for k in ("@id", "@value") if k in raw), None) if isinstance(raw, dict) else raw
            if isinstance(text, str):
                if not says_nothing(text):
                    yield text, here
            else:
                self._shapes.wrong(raw, "a text", here)

    def _parts(self, key: str) -> Iterator[tuple[_Entry, str]]:
        for raw, here in self._items(self._entry, key, self._at):
            part = self._shapes.mapping(raw, here)
            if part is not None:
                yield part, here


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
