"""Changes are made in the text of an author: with comments, parentheses and line ends where authors put them."""

import pytest

from policy_dsl.diagnostics import Diagnostics
from policy_dsl.source import SourceFile
from policy_dsl.syntax.parser import parse
from policy_engine.app.testing.mutation import Laboratory
from policy_engine.packs.library import select
from tests.testing.small_world import pack

PACKS = frozenset({"world"})
NASTY = """\
rule r
    for each System where ( # and
            (system.legacy)   # or
            and not ( ( system.risk < 3 ) or (system.risk > 8) ) and (system.stage) is known )
    must
        (every Model in system.uses
            where (some Dataset in model.trained_on where (dataset.personal))
            # where
            satisfies (model.open))
        and (if (system.legacy) then (system.risk between (1) and (2)))
        and system has evidence audit signed by steward not older than (2 months + 1 day) where (passed)
        and no Dataset upstream of system via trained_on, # via
                tested_on, derived_from not through (Filter as within where (within.masks)) within 2 hops
            where (dataset.personal)
"""


def laboratories() -> list[Laboratory]:
    chosen = select(["eu_ai_act"], {})
    return [Laboratory(pack(NASTY), PACKS), Laboratory(chosen.files, chosen.selected)]


def test_every_change_can_be_read_and_checked() -> None:
    """For the library this is seen when its mutants are run."""
    laboratory = Laboratory(pack(NASTY), PACKS)
    assert laboratory.mutants
    for mutant in laboratory.mutants:
        found = Diagnostics()
        (_,) = parse(SourceFile("changed.policy", mutant.text), found).declarations
        assert not found.has_errors, mutant.text
        assert laboratory.workshop.changed(mutant.place, mutant.text) is not None, mutant.text


@pytest.mark.parametrize("laboratory", laboratories(), ids=["nasty", "library"])
def test_no_two_changes_are_the_same(laboratory: Laboratory) -> None:
    texts = [(m.place.full_name, m.text) for m in laboratory.mutants]
    assert len(set(texts)) == len(texts)
    assert all(
        text != laboratory.workshop.text(m.place) for m, (_, text) in zip(laboratory.mutants, texts, strict=True)
    )


def test_clauses_are_taken_out_whole() -> None:
    changed = {m.change.what: " ".join(m.text.split()) for m in Laboratory(pack(NASTY), PACKS).mutants}
    assert "(every Model in system.uses # where satisfies (model.open))" in changed["`where` of Model left out"]
    assert "signed by steward where (passed)" in changed["`not older than` left out"]
    assert changed["`where` of evidence audit left out"].count("(passed)") == 0
    assert "via trained_on, # via tested_on not through" in changed["`via derived_from` left out"]
    assert "(within.masks)) where (dataset.personal)" in changed["`within` left out"]
    assert "(Filter as within) within 2 hops" in changed["`where` of Filter left out"]
    assert "derived_from within 2 hops" in changed["`not through (Filter …)` left out"]
    assert "and ((system.risk between (1) and (2)))" in changed["`if … then` left out"]
    assert "(system.risk >= (1))" in changed["no upper bound"]
    assert "(system.risk <= (2))" in changed["no lower bound"]


def test_a_pack_keeps_its_other_declarations() -> None:
    laboratory = Laboratory(pack(NASTY, "rule other\n    for each Model\n    must\n        model.open\n"), PACKS)
    mutant = next(m for m in laboratory.mutants if m.place.name == "r")
    program = laboratory.workshop.changed(mutant.place, mutant.text)
    assert program is not None
    assert list(program.rules) == list(laboratory.program.rules)
    assert program.rules["world.other"] is laboratory.program.rules["world.other"]
    assert program.rules["world.r"] != laboratory.program.rules["world.r"]


def test_a_change_sees_what_its_pack_uses_under_any_name_and_no_more() -> None:
    files = {
        **pack(),
        "a.policy": b"policy a\nuse world\nparameter most: Integer = 3\ndefine low(s: System) as s.risk < most\n",
        "b.policy": b"policy b\nuse a as first\nuse world\ndefine fine(s: System) as first.low(s)\n",
        "c.policy": b"policy c\nuse b\nuse world\nrule r\n    for each System\n    must\n        fine(system)\n",
        "d.policy": b"policy d\nuse world\nextend node System { age: Integer }\ndefine low(s: System) as s.age < 1\n",
    }
    laboratory = Laboratory(files, frozenset({"a", "b", "c"}))
    assert {m.place.full_name for m in laboratory.mutants} == {"a.most", "a.low", "b.fine", "c.r"}
    for mutant in laboratory.mutants:
        program = laboratory.workshop.changed(mutant.place, mutant.text)
        assert program is not None, mutant.text
        assert list(program.definitions) == list(laboratory.program.definitions)
        assert program.schema is laboratory.program.schema
    place = next(m.place for m in laboratory.mutants if m.place.pack == "c")
    text = laboratory.workshop.text(place)
    # What another pack adds to a kind is there for every pack of the run; its definitions are not.
    assert laboratory.workshop.changed(place, text.replace("fine(system)", "system.age > 1")) is not None
    assert laboratory.workshop.changed(place, text.replace("fine(system)", "low(system)")) is None
