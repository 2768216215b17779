"""Loading documents under the schema of the shared vocabulary, for the tests of importers."""

import json
from functools import cache
from pathlib import Path

import pytest

from policy_dsl import compile_bytes
from policy_dsl.typed.schema import Schema
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.load import load_estate
from policy_engine.packs.library import select

_SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples"


@cache
def std_schema() -> Schema:
    program, problems = compile_bytes(select(["std.ai"], {}).files)
    assert program is not None, problems
    return program.schema


def load(content: object, file: str = "a.json", schema: Schema | None = None) -> Estate:
    """Load one document: bytes as they are, anything else as JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return load_estate({file: data}, schema or std_schema())


def load_sample(path: str) -> Estate:
    if not _SAMPLES.is_dir():
        pytest.skip("the shared samples are not beside this checkout")
    found = _SAMPLES / path
    return load_estate({found.name: found.read_bytes()}, std_schema())


def edges(estate: Estate) -> set[tuple[str, str, str]]:
    """Return the edges as source, name, target."""
    return {(edge.source, edge.type, edge.target) for edge in estate.snapshot.edges}


def kinds(estate: Estate) -> dict[str, str]:
    return {node_id: node.kind for node_id, node in estate.snapshot.nodes.items()}


def facts(estate: Estate, node_id: str) -> dict[str, object]:
    return {name: fact.value for name, fact in estate.snapshot.nodes[node_id].attributes.items()}


def codes(estate: Estate) -> list[str]:
    return sorted(problem.code for problem in estate.problems)
