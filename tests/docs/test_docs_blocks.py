"""Every policy in the manual compiles and passes its tests; every wrong example is wrong as it says."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable

import pytest
import yaml

from policy_dsl import compile_bytes
from policy_dsl.diagnostics import Diagnostic
from policy_dsl.typed.tree import Program
from policy_engine.app.policy_tests import run_tests
from policy_engine.lineage.load import load_estate
from policy_engine.model.errors import InputError
from policy_engine.packs.library import select
from policy_engine.packs.profile import parse_profile
from policy_evidence.errors import TrustError
from policy_evidence.trust.document import parse_trust
from tests.docs.doc_blocks import Block, all_blocks

HEADER = 'policy docs.example\n    title "Example"\nuse std.ai\n\n'


def _with(choose: Callable[[Block], bool]) -> list[Block]:
    return [block for block in all_blocks() if choose(block)]


def _compiled(files: dict[str, str]) -> tuple[Program, tuple[Diagnostic, ...]]:
    return compile_bytes(select([], {name: text.encode() for name, text in files.items()}).files)


def _files(block: Block) -> dict[str, str]:
    parts = re.split(r"^# file: (\S+)\n", block.text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)) or {"block.policy": _source(block)}


def _source(block: Block) -> str:
    if not block.kinds:
        return block.text if re.search(r"^policy ", block.text, re.MULTILINE) else HEADER + block.text
    formals = ", ".join(f"{re.sub('(?<=[a-z])(?=[A-Z])', '_', kind).lower()}: {kind}" for kind in block.kinds)
    conditions: list[str] = []
    for line in block.text.splitlines():
        if line.startswith(" "):
            conditions[-1] += f"\n{line}"
        elif line and not line.startswith("#"):
            conditions.append(line)
    defines = (f"define c{n}({formals}) as {text}" for n, text in enumerate(conditions))
    return HEADER + "\n".join(defines)


@pytest.mark.parametrize("block", _with(lambda b: b.language == "policy" and b.wrong_code is None), ids=str)
def test_a_policy_compiles_and_its_tests_pass(block: Block) -> None:
    files = _files(block)
    program, found = _compiled(files)
    assert [(d.code, d.message) for d in found] == []
    own = {p.name for p in program.packs if p.file in files}
    broken = [o for o in run_tests(program) if o.test.pack in own and not o.passed]
    assert [(o.test.name, o.failures) for o in broken] == []


@pytest.mark.parametrize("block", _with(lambda b: b.language == "policy" and b.wrong_code is not None), ids=str)
def test_a_wrong_policy_gets_its_code(block: Block) -> None:
    _, found = _compiled(_files(block))
    assert {d.code for d in found} == {block.wrong_code}


@pytest.mark.parametrize("block", _with(lambda b: b.language == "yaml" and b.wrong_code is not None), ids=str)
def test_a_wrong_document_gets_its_code(block: Block) -> None:
    if (block.wrong_code or "") >= "PE43":
        with pytest.raises(TrustError) as refused:
            parse_trust(block.text.encode())
        assert {p.code for p in refused.value.problems} == {block.wrong_code}
        return
    program, _ = compile_bytes(select(["std"], {}).files)
    estate = load_estate({"inventory.yaml": block.text.encode()}, program.schema)
    assert {p.code for p in estate.problems} == {block.wrong_code}


@pytest.mark.parametrize(
    "block",
    _with(lambda b: b.page.startswith("reference/") and b.info == "" and b.text.startswith("inventory: 1\n")),
    ids=str,
)
def test_the_right_inventory_has_no_problem(block: Block) -> None:
    program, _ = compile_bytes(select(["std"], {}).files)
    assert load_estate({"inventory.yaml": block.text.encode()}, program.schema).problems == ()


@pytest.mark.parametrize("block", _with(lambda b: b.language == "toml"), ids=str)
def test_toml_can_be_read_and_a_profile_is_one(block: Block) -> None:
    if block.wrong_code is not None:
        with pytest.raises(InputError, match=block.wrong_code):
            parse_profile(block.text.encode(), "profile.toml")
    elif "profile" in tomllib.loads(block.text):
        parse_profile(block.text.encode(), "profile.toml")


@pytest.mark.parametrize("block", _with(lambda b: b.language == "yaml" and b.info == "trust"), ids=str)
def test_a_trust_file_means_something(block: Block) -> None:
    assert parse_trust(block.text.encode()).roles


@pytest.mark.parametrize("block", _with(lambda b: b.language in {"yaml", "json"} and b.wrong_code is None), ids=str)
def test_yaml_and_json_can_be_read(block: Block) -> None:
    assert yaml.safe_load(block.text) if block.language == "yaml" else json.loads(block.text)
