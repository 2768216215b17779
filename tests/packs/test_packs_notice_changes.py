"""No clause of a rule is idle: with any of them taken out, some test of its pack fails."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from policy_dsl import compile_bytes
from policy_dsl.typed import tree
from policy_engine.app.policy_tests import run_tests

ROOT = Path(__file__).parents[2]
LIBRARY = sorted((ROOT / "policies" / "library").rglob("*.policy"))
BANK = ROOT / "examples" / "credit-scoring" / "policies" / "bank.policy"
PROGRAM, _ = compile_bytes({str(path.relative_to(ROOT)): path.read_bytes() for path in [*LIBRARY, BANK]})

TRUE = tree.Constant(True)


def _changed(node: Any) -> Iterator[tuple[Any, str]]:
    """Yield a tree with one clause of it taken out or loosened, and what that was."""
    match node:
        case tree.And(operands) | tree.Or(operands):
            for i in range(len(operands)):
                rest = operands[:i] + operands[i + 1 :]
                yield (rest[0] if len(rest) == 1 else replace(node, operands=rest)), f"operand {i + 1} left out"
        case tree.Not(operand):
            yield operand, "not left out"
        case tree.Constant(value) if type(value) is int:
            yield tree.Constant(value + 1), f"{value} raised"
            yield tree.Constant(value - 1), f"{value} lowered"
        case tree.SetOf(items) if len(items) > 1:
            for i in range(len(items)):
                yield tree.SetOf(items[:i] + items[i + 1 :]), f"member {i + 1} left out"
        case tree.HasEvidence():
            for clause in ("role", "max_age", "where"):
                if getattr(node, clause) is not None:
                    nothing: Any = {clause: None}
                    yield replace(node, **nothing), f"{clause} of {node.type} left out"
        case tree.Count():
            yield replace(node, number=node.number + 1), "number raised"
            if node.condition != TRUE:
                yield replace(node, condition=TRUE), "condition left out"
            if isinstance(node.range, tree.LineageRange) and node.range.barrier is not None:
                yield replace(node, range=replace(node.range, barrier=None)), "barrier left out"
    for field in fields(node):
        part = getattr(node, field.name)
        if field.name in {"variable", "anchor", "attribute"}:
            continue
        if is_dataclass(part):
            yield from ((replace(node, **{field.name: new}), what) for new, what in _changed(part))
        elif isinstance(part, tuple):
            for i, item in enumerate(part):
                if is_dataclass(item):
                    for new, what in _changed(item):
                        yield replace(node, **{field.name: (*part[:i], new, *part[i + 1 :])}), what


def _changed_rules(rule: tree.Rule) -> Iterator[tuple[tree.Rule, str]]:
    if rule.where is not None:
        yield replace(rule, where=None), "scope left out"
        yield from ((replace(rule, where=new), f"scope: {what}") for new, what in _changed(rule.where))
    yield from ((replace(rule, requirement=new), f"requirement: {what}") for new, what in _changed(rule.requirement))
    for i, exemption in enumerate(rule.exemptions):
        yield (
            replace(rule, exemptions=rule.exemptions[:i] + rule.exemptions[i + 1 :]),
            f"except {exemption.label} left out",
        )


def _unnoticed(program: tree.Program) -> bool:
    return all(outcome.passed for outcome in run_tests(program))


@pytest.mark.parametrize("rule", PROGRAM.rules.values(), ids=lambda rule: rule.name)
def test_every_clause_of_a_rule_is_tested(rule: tree.Rule) -> None:
    own = replace(PROGRAM, tests=tuple(test for test in PROGRAM.tests if test.pack == rule.pack))
    idle = [
        what for new, what in _changed_rules(rule) if _unnoticed(replace(own, rules={**PROGRAM.rules, rule.name: new}))
    ]
    assert not idle


@pytest.mark.parametrize("definition", PROGRAM.definitions.values(), ids=lambda definition: definition.name)
def test_every_clause_of_a_definition_is_tested(definition: tree.Definition) -> None:
    idle = [
        what
        for body, what in _changed(definition.body)
        if _unnoticed(
            replace(PROGRAM, definitions={**PROGRAM.definitions, definition.name: replace(definition, body=body)})
        )
    ]
    assert not idle
