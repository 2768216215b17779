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
        {"condition turned round", "`where` of evidence review left out", "`passed` left out"},
    ),
    "the latest evidence in the `where` of evidence": (
        "system has evidence audit where passed and (thorough of latest evidence review on system)",
        {"`passed` left out", "`thorough of latest evidence review on system` left out"},
    ),
    "things with evidence in the `where` of evidence": (
        "system has evidence audit where passed and some Model in system.uses has evidence review where thorough",
        {"`some` became `every`", "`where` of evidence review left out"},
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_examples_are_found_for_evidence_inside_evidence(name: str) -> None:
    requirement, wanted = RULES[name]
    laboratory = Laboratory({FILE: "\n".join([WORLD, MORE, rule(requirement), ""]).encode()}, frozenset({"world"}))
    verdicts = [(m.change.what, laboratory.verdict(m)) for m in laboratory.mutants]
    assert {v.fate for _, v in verdicts} == {Fate.SURVIVED}
    assert wanted <= {what for what, v in verdicts if v.example}, verdicts
