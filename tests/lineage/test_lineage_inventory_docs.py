"""The manual of the inventory and its JSON Schema say what the reader does."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from policy_engine.lineage.documents import Limits, read_documents
from policy_engine.lineage.load import load_estate
from tests.lineage.estate_schema import SCHEMA

DOCS = Path(__file__).parents[2] / "docs"
INVENTORY_SCHEMA = json.loads((DOCS / "schemas" / "inventory.schema.json").read_text())
EXAMPLE = re.findall(r"```yaml\n(.*?)```", (DOCS / "inventory.md").read_text(), re.DOTALL)[0]


def _valid(text: str) -> bool:
    [document] = read_documents("a.yaml", text.encode(), Limits())
    return jsonschema.Draft202012Validator(INVENTORY_SCHEMA).is_valid(document.content)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(INVENTORY_SCHEMA)


def test_the_example_of_the_manual_is_an_inventory_without_a_problem() -> None:
    estate = load_estate({"estate.yaml": EXAMPLE.encode()}, SCHEMA)
    assert estate.problems == ()
    assert _valid(EXAMPLE)
    assert len(estate.snapshot.nodes) == 7
    assert estate.snapshot.targets("bureau-data", "supplied_by") == ("example-models",)
    assert estate.snapshot.sources[0].asserted_by == "AI governance office"


@pytest.mark.parametrize(
    "text",
    [
        "inventory: 2\nnodes: []",
        "inventory: 1",
        "inventory: 1\nnodes: {}",
        "inventory: 1\nnodes: []\nnode: []",
        "inventory: 1\nnodes: []\nasserted_at: today",
        "inventory: 1\nnodes: [a]",
        "inventory: 1\nnodes: [{id: a}]",
        "inventory: 1\nnodes: [{kind: System}]",
        "inventory: 1\nnodes: [{id: 7, kind: System}]",
        "inventory: 1\nnodes: [{id: ' a', kind: System}]",
        "inventory: 1\nnodes: [{id: '', kind: System}]",
        "inventory: 1\nnodes: [{id: a, kind: System, aliases: 7}]",
        "inventory: 1\nnodes: [{id: a, kind: System, name: {en: x}}]",
    ],
)
def test_what_the_schema_refuses_the_reader_calls_an_error(text: str) -> None:
    assert not _valid(text)
    assert load_estate({"a.yaml": text.encode()}, SCHEMA).has_errors


def test_the_manual_names_every_key_of_a_document() -> None:
    manual = (DOCS / "inventory.md").read_text()
    assert all(f"| `{key}` |" in manual for key in INVENTORY_SCHEMA["properties"])
