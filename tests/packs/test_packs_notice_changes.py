"""No clause of a rule is idle: the library's own tests notice every change to its rules, definitions and parameters."""

from functools import cache
from pathlib import Path

import pytest

from policy_dsl.typed import tree
from policy_engine.app.testing.mutation import Fate, Laboratory, Mutant
from policy_engine.packs.library import pack_name

ROOT = Path(__file__).parents[2]
BANK = ROOT / "examples" / "credit-scoring" / "policies" / "bank.policy"
FILES = {
    str(path.relative_to(ROOT)): path.read_bytes()
    for path in [*sorted((ROOT / "policies" / "library").rglob("*.policy")), BANK]
}
PACKS = sorted(name for file, data in FILES.items() if (name := pack_name(file, data)) is not None)


@cache
def laboratory() -> Laboratory:
    """One for all packs of a process: a change to a definition is put before every rule that uses it."""
    return Laboratory(FILES, frozenset(PACKS))


@cache
def mutants() -> dict[str, list[Mutant]]:
    found: dict[str, list[Mutant]] = {}
    for mutant in laboratory().mutants:
        found.setdefault(mutant.place.pack, []).append(mutant)
    return found


@pytest.mark.parametrize("pack", PACKS)
def test_no_change_goes_unnoticed(pack: str) -> None:
    verdicts = [(m, laboratory().verdict(m)) for m in mutants().get(pack, [])]
    # A change that is not valid would be a mistake of the tool: each is made to be read and checked.
    unnoticed = [(m.place.full_name, m.change.what, v) for m, v in verdicts if v.fate is not Fate.KILLED]
    assert not unnoticed


def test_every_rule_is_changed_in_several_ways() -> None:
    changes: dict[str, int] = {}
    for mutant in laboratory().mutants:
        changes[mutant.place.full_name] = changes.get(mutant.place.full_name, 0) + 1
    # Its two dates and its condition, at the least.
    assert [name for name in laboratory().program.rules if changes.get(name, 0) < 3] == []


def test_a_rule_is_tested_in_its_own_pack() -> None:
    """A pack that is taken alone brings the tests of its rules along."""
    elsewhere = {
        step.rule
        for test in laboratory().program.tests
        for step in test.steps
        if isinstance(step, tree.Expectation) and laboratory().program.rules[step.rule].pack != test.pack
    }
    assert not elsewhere
