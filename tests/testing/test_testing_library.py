"""The library's own tests notice every change to its rules that an example can tell from the original."""

from pathlib import Path

from policy_engine.app.testing.mutation import Fate, Laboratory
from policy_engine.packs.library import select

BANK = Path(__file__).parents[2] / "examples" / "credit-scoring" / "policies" / "bank.policy"


def test_no_change_to_a_rule_goes_unnoticed() -> None:
    chosen = select(["eu_ai_act"], {BANK.name: BANK.read_bytes()})
    laboratory = Laboratory(chosen.files, chosen.selected)
    verdicts = [(m, laboratory.verdict(m)) for m in laboratory.mutants]
    unnoticed = [(m.place.full_name, m.change.what, v.example) for m, v in verdicts if v.fate is Fate.SURVIVED]
    assert not unnoticed
    assert len(verdicts) > 800
    # Every rule of the packs is changed in several ways.
    changed = {m.place.full_name for m in laboratory.mutants}
    assert {r.name for r in laboratory.program.rules.values() if r.pack in chosen.selected} <= changed
