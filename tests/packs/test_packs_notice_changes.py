"""No clause of a rule is idle: the library's own tests notice every change to its rules, definitions and parameters."""

from functools import cache
from pathlib import Path

import pytest

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.source import SourceFile
from policy_dsl.syntax.parser import parse
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


def _can_be_read(text: str) -> bool:
    found = Diagnostics()
    return len(parse(SourceFile("changed.policy", text), found).declarations) == 1 and not found.has_errors


@pytest.mark.parametrize("pack", PACKS)
def test_no_change_goes_unnoticed(pack: str) -> None:
    verdicts = [(m, laboratory().verdict(m)) for m in mutants().get(pack, [])]
    unnoticed = [(m.place.full_name, m.change.what, v.example) for m, v in verdicts if v.fate is Fate.SURVIVED]
    assert not unnoticed
    # The checker may refuse a change, such as lineage over an edge that leads nowhere; all can be read.
    refused = [m.text for m, v in verdicts if v.fate is Fate.INVALID]
    assert not [text for text in refused if not _can_be_read(text)]


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
