"""Mutants of rules whose evidence asks for other evidence: an example is found for each, and nothing breaks."""

import pytest

from policy_engine.app.testing.mutation import Fate, Laboratory
from tests.testing.small_world import FILE, WORLD, rule

MORE = """\
evidence review on System, Model { thorough: Boolean }
"""
RULES = {
    "evidence in the `where` of evidence": (
        "system has evidence audit where passed and (system has evidence review where thorough)",
        {"`thorough` left out": False, "condition turned round": True},
    ),
    "the latest evidence in the `where` of evidence": (
        "system has evidence audit where passed and (thorough of latest evidence review on system)",
        {"`passed` left out": True},
    ),
    "things with evidence in the `where` of evidence": (
        "system has evidence audit where some Model in system.uses has evidence review where thorough",
        {"`some` became `every`": True},
    ),
    "the instant of issue in the `where` of evidence": (
        "system has evidence audit where passed and issued >= 2027-06-01",
        {"`2027-06-01` a day later": True, "`passed` left out": True},
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_examples_are_found_for_evidence_inside_evidence(name: str) -> None:
    requirement, wanted = RULES[name]
    text = "\n".join([WORLD, MORE, rule(requirement), ""])
    laboratory = Laboratory({FILE: text.encode()}, frozenset({"world"}))
    verdicts = [(m.change.what, laboratory.verdict(m)) for m in laboratory.mutants]
    assert verdicts
    assert {v.fate for _, v in verdicts} <= {Fate.SURVIVED, Fate.INVALID}
    for what, has_example in wanted.items():
        assert [v for w, v in verdicts if w == what and v.example] if has_example else True, (what, verdicts)
