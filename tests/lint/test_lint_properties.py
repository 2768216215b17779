"""The linter copes with every valid pack, and taking out brackets that change nothing changes nothing."""

from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.lint import RULES, apply_edits, lint_sources
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax.parser import parse
from tests.property.strategies import programs

RELAXED = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
BRACKETS = [r for r in RULES if r.name == "redundant-brackets"]


def without_places(value: Any) -> Any:
    """A syntax tree as nested tuples, without spans."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = [getattr(value, f.name) for f in fields(value)]
        return (type(value).__name__, *(without_places(p) for p in parts if not isinstance(p, Span)))
    if isinstance(value, tuple):
        return tuple(without_places(v) for v in value)
    return value


def meaning(source: SourceFile) -> Any:
    found = Diagnostics()
    tree = parse(source, found)
    assert not found.has_errors, (source.text, found.sorted())
    return without_places(tree.declarations)


@RELAXED
@given(program=programs())
def test_every_valid_pack_is_linted(program):
    files = program.files
    before = files["pack.policy"]
    report = lint_sources(files.values(), {"pack.policy"})
    assert all(0 <= f.diagnostic.span.start < f.diagnostic.span.end <= len(before.text) for f in report.found)
    after = before
    for _ in range(20):
        edits = lint_sources([files["schema.policy"], after], {"pack.policy"}, BRACKETS).edits("pack.policy")
        if not edits:
            break
        after = SourceFile("pack.policy", apply_edits(after.text, edits))
    else:
        raise AssertionError(after.text)
    assert meaning(after) == meaning(before)
