"""Hugging Face cards: the front matter and the text of a model's or dataset's ``README.md``.

What becomes what:

- the card is about one Model, or one Dataset where it has keys that only dataset cards have; it is called by the hub
  id that the front matter or a folder of the hub's cache states, else by the name of the file;
- ``base_model`` is what a model is ``finetuned_from``, whatever the relation, which is its ``adaptation``;
- ``datasets`` are what it is ``trained_on``, results of ``model-index`` what it is ``tested_on`` and its measures;
- ``source_datasets`` are what a dataset is ``derived_from``;
- sections of the text, by their headings, are the attributes of ``card_sections``.

Nearly every key holds one text or a list. A name with a space in it is no id of anything: it is told, and no edge.
Tags, widgets and settings of the hub are not kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document, Form
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.card_sections import OF_DATA, OF_MODELS, looks_like_card, sections, title
from policy_engine.lineage.importers.gathering import Gathering, Thing, decimal
from policy_engine.lineage.importers.measures import Measure, declare
from policy_engine.lineage.importers.missing import says_nothing
from policy_engine.lineage.importers.placeholders import filled
from policy_engine.lineage.located import step

HUB = "https://huggingface.co/"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
_CACHED = re.compile(r"(models|datasets)--([^/]+?)--([^/]+)/snapshots/([0-9a-f]{40})/")
_ONLY_DATA = frozenset(
    {
        "annotations_creators",
        "configs",
        "dataset_info",
        "language_creators",
        "multilinguality",
        "pretty_name",
        "size_categories",
        "source_datasets",
        "task_categories",
        "task_ids",
        "train-eval-index",
    }
)
_ONLY_MODELS = frozenset(
    {
        "base_model",
        "base_model_relation",
        "co2_eq_emissions",
        "datasets",
        "inference",
        "library_name",
        "metrics",
        "model-index",
        "model_id",
        "model_name",
        "pipeline_tag",
        "widget",
    }
)
_EITHER = frozenset({"language", "license", "license_link", "license_name", "tags", "thumbnail"})
# What a dataset says in the place of the data it was made from.
_NO_SOURCE = frozenset({"original", "extended"})
_GRAMS = Decimal(1000)

_Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class HuggingFaceImporter:
    """Reads model and dataset cards."""

    name: str = "huggingface"
    sign: str = "a Hugging Face card, which is Markdown with front matter or a title that says so"

    def detects(self, document: Document) -> bool:
        """Tell whether a document is a card: Markdown with keys of cards in its front matter, or the look of one."""
        if document.form is not Form.MARKDOWN:
            return False
        if isinstance(document.content, dict) and document.content:
            return not (_ONLY_DATA | _ONLY_MODELS | _EITHER).isdisjoint(document.content)
        # Most Markdown without front matter is prose about anything.
        return _CACHED.search(document.file.replace("\\", "/")) is not None or looks_like_card(document.body)

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what a card asserts."""
        return _Card(document, source, schema).claims()


class _Card:
    def __init__(self, document: Document, source: Source, schema: Schema) -> None:
        self._document = document
        self._head: _Entry = document.content if isinstance(document.content, dict) else {}
        self._gathering = Gathering(source, schema)
        self._shapes = self._gathering.shapes

    def claims(self) -> Claims:
        if not self._head:
            message = "the card has no front matter, so that little can be said of what it describes"
            self._shapes.report("PE3172", message, "", advice="begin it with `---` and keys such as `license`")
        thing = self._described()
        if thing is not None:
            self._common(thing)
            if thing.kind == "Dataset":
                self._dataset(thing)
            else:
                self._model(thing)
        return self._gathering.claims()

    # What the card is about

    def _described(self) -> Thing | None:
        cached = _CACHED.search(self._document.file.replace("\\", "/"))
        kind, presumed = self._kind(cached[1] if cached else None)
        hub_id = self._hub_id() or (f"{cached[2]}/{cached[3]}" if cached else None)
        if hub_id is None:
            return self._gathering.thing(self._gathering.source.name, kind, "", presumed=presumed)
        revision = cached[4] if cached else ""
        node_id = _model(hub_id, revision) if kind == "Model" else _data(hub_id, revision)
        thing = self._gathering.thing(node_id, kind, "", (self._gathering.source.name,), presumed=presumed)
        if thing is not None:
            self._gathering.attribute(thing, "version", revision or None, "")
            self._gathering.vendor(thing, hub_id.partition("/")[0], "")
        return thing

    def _kind(self, folder: str | None) -> tuple[str, bool]:
        """Return what the card is about, and whether that is only presumed."""
        if folder is not None:
            return "Dataset" if folder == "datasets" else "Model", False
        if not _ONLY_MODELS.isdisjoint(self._head):
            return "Model", False
        heading = (title(self._document.body) or "").casefold()
        if not _ONLY_DATA.isdisjoint(self._head) or "dataset card" in heading:
            return "Dataset", False
        return "Model", "model card" not in heading

    def _hub_id(self) -> str | None:
        for key in ("model_id", "model_name", "dataset_id", "repo_id"):
            text = self._head.get(key)
            if isinstance(text, str) and "/" in text and _ID.fullmatch(text):
                return text
        return None

    # Facts

    def _common(self, thing: Thing) -> None:
        self._name(thing)
        self._licence(thing)
        languages = ["no" if raw is False else raw for raw, _ in self._items("language")]
        said = [text for text in languages if isinstance(text, str)]
        self._gathering.attribute(thing, "languages", said, "/language")
        texts = sections(self._document.body)
        found: dict[str, str] = {}
        for heading, attribute in (OF_DATA if thing.kind == "Dataset" else OF_MODELS).items():
            if heading in texts:
                found.setdefault(attribute, texts[heading])
        for attribute in found.keys() - self._stated(thing):
            self._gathering.attribute(thing, attribute, found[attribute], "")

    def _stated(self, thing: Thing) -> frozenset[str]:
        """Return the attributes that the front matter states, so that the text is not asked for them."""
        if thing.kind != "Dataset":
            return frozenset()
        keys = {"annotations_creators": "annotation", "language_creators": "collection"}
        return frozenset(attribute for key, attribute in keys.items() if self._head.get(key))

    def _name(self, thing: Thing) -> None:
        for key in ("model_name", "pretty_name"):
            text = self._shapes.text(self._head, key, "")
            if text and not says_nothing(text):
                self._gathering.attribute(thing, "name", text, step(key))
                return
        named = [(e.get("name"), at) for e, at in self._index()]
        if len(named) == 1 and isinstance(named[0][0], str) and not says_nothing(named[0][0]):
            self._gathering.attribute(thing, "name", named[0][0], f"{named[0][1]}/name")
            return
        self._gathering.attribute(thing, "name", title(self._document.body), "")

    def _licence(self, thing: Thing) -> None:
        own = self._shapes.text(self._head, "license_name", "")
        found = [(own if text == "other" and own else text, at) for text, at in self._texts("license")]
        if len(found) > 1:
            self._gathering.skip("several licences are not kept: `licence` has one value", "/license")
        elif found:
            self._gathering.attribute(thing, "licence", *found[0])

    # Models

    def _model(self, thing: Thing) -> None:
        for key, attribute in (("pipeline_tag", "task"), ("library_name", "library")):
            for text, at in self._texts(key):
                self._gathering.attribute(thing, attribute, text, at)
        for name, at in self._ids("base_model"):
            base = self._gathering.thing(_model(name), "Model", at)
            if base is not None:
                self._gathering.attribute(base, "name", name, at)
                self._gathering.edge("finetuned_from", thing, base, at)
        relations = [text for text, _ in self._texts("base_model_relation")]
        self._gathering.attribute(thing, "adaptation", relations, "/base_model_relation")
        for name, at in self._ids("datasets"):
            self._data_edge("trained_on", thing, name, name, at)
        self._emissions(thing)
        self._results(thing)

    def _emissions(self, thing: Thing) -> None:
        raw, at = self._head.get("co2_eq_emissions"), "/co2_eq_emissions"
        if isinstance(raw, dict):
            raw, at = raw.get("emissions"), f"{at}/emissions"
        if raw is None or (isinstance(raw, str) and says_nothing(raw)):
            return
        grams = decimal(raw)
        if grams is None or grams < 0:
            self._shapes.wrong(raw, "a number of grams", at)
        else:
            self._gathering.attribute(thing, "co2_kg", grams / _GRAMS, at)

    def _index(self) -> list[tuple[_Entry, str]]:
        return list(self._shapes.parts(self._head, "model-index", ""))

    def _results(self, thing: Thing) -> None:
        measures: list[Measure] = []
        for entry, place in self._index():
            for result, at in self._shapes.parts(entry, "results", place):
                data, data_at = self._shapes.part(result, "dataset", at)
                name, hub_id = (self._shapes.text(data, key, data_at) for key in ("name", "type"))
                if hub_id and self._is_id(hub_id, f"{data_at}/type"):
                    self._data_edge("tested_on", thing, hub_id, name or hub_id, data_at)
                for metric, here in self._shapes.parts(result, "metrics", at):
                    measure = self._shapes.text(metric, "type", here) or self._shapes.text(metric, "name", here)
                    if measure and metric.get("value") is not None:
                        measures.append(Measure(measure, metric["value"], f"{here}/value", name or hub_id))
        declare(self._gathering, thing, measures)

    def _data_edge(self, edge: str, thing: Thing, hub_id: str, name: str, at: str) -> None:
        dataset = self._gathering.thing(_data(hub_id), "Dataset", at)
        if dataset is not None:
            # What a card calls somebody else's data is no fact about them, unless it is their id.
            self._gathering.attribute(dataset, "name", hub_id if name == hub_id else None, at)
            self._gathering.edge(edge, thing, dataset, at)

    # Datasets

    def _dataset(self, thing: Thing) -> None:
        keys = {
            "size_categories": "size",
            "annotations_creators": "annotation",
            "language_creators": "collection",
        }
        for key, attribute in keys.items():
            said = [text for text, _ in self._texts(key)]
            self._gathering.attribute(thing, attribute, said, step(key))
        for text, at in self._texts("source_datasets"):
            name = text.partition("|")[2] or text
            if name not in _NO_SOURCE and self._is_id(name, at):
                self._data_edge("derived_from", thing, name.removeprefix("other-"), name, at)

    # Shapes

    def _items(self, key: str) -> Iterator[tuple[object, str]]:
        """Yield what stands under a key, of which there may be one alone or a list."""
        raw = self._head.get(key)
        if isinstance(raw, list):
            for number, item in enumerate(raw):
                yield item, f"{step(key)}/{number}"
        elif raw is not None:
            yield raw, step(key)

    def _texts(self, key: str) -> Iterator[tuple[str, str]]:
        for raw, at in self._items(key):
            if not isinstance(raw, str):
                self._shapes.wrong(raw, "a text or a list of texts", at)
            elif (text := filled(self._gathering, raw, at)) and not says_nothing(text):
                yield text, at

    def _ids(self, key: str) -> Iterator[tuple[str, str]]:
        for text, at in self._texts(key):
            if self._is_id(text, at):
                yield text.removeprefix(HUB).removeprefix("datasets/"), at

    def _is_id(self, text: str, at: str) -> bool:
        if _ID.fullmatch(text.removeprefix(HUB).removeprefix("datasets/")):
            return True
        if not says_nothing(text):
            message = f"`{text}` is no id of the hub, so that nobody can tell what it is; no edge is made"
            self._shapes.report("PE3173", message, at, advice="write it like `organisation/name`")
        return False


def _model(hub_id: str, revision: str = "") -> str:
    return f"pkg:huggingface/{hub_id}{f'@{revision}' if revision else ''}"


def _data(hub_id: str, revision: str = "") -> str:
    return f"{HUB}datasets/{hub_id}{f'/tree/{revision}' if revision else ''}"
