"""Comparisons by order are decided where they change, and come to what each value by itself comes to."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_dsl import compile_packs
from policy_dsl.source import SourceFile
from policy_dsl.typed.types import Simple
from policy_dsl.values import Duration, Money, add
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.sets import plan
from policy_engine.evaluation.sets.decided import Points
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.evaluation.sets.planning import plan_of
from policy_engine.evaluation.world import World
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from policy_engine.lineage.graph import Fact, Node, Snapshot
from policy_engine.model.evidence import EvidenceSet

SCHEMA = """
policy schema
node Thing {
    day: Date
    when: Instant
    count: Integer
    share: Number
    usual: Integer = 50
    cost: Money
    keep: Duration
}
"""
AT = datetime(2026, 3, 30, 12, tzinfo=UTC)
SIZE = 100
ORDERED = {
    "thing.day < today": Simple.DATE,
    "today - 1 month >= thing.day": Simple.DATE,
    "thing.day + 1 month <= today": Simple.DATE,
    "today < thing.day - 2 months": Simple.DATE,
    "thing.day > now": Simple.DATE,
    "thing.when >= today": Simple.INSTANT,
    "now - 36 hours > thing.when": Simple.INSTANT,
    "thing.count < 40": Simple.INTEGER,
    "thing.count >= -5": Simple.INTEGER,
    "7 <= thing.share": Simple.NUMBER,
    "thing.usual > 60": Simple.INTEGER,
}
ONE_BY_ONE = (
    "thing.when + 1 month < now",
    "thing.cost > 30 EUR",
    "thing.count is 40",
    "thing.count + 1 > 40",
    "thing.count > thing.share",
    "thing.count < thing.count + 1",
)


def thing(number: int) -> Node:
    values = {
        "day": date(2026, 1, 1) + timedelta(days=number * 7 % SIZE),
        "when": AT - timedelta(days=40) + timedelta(hours=number * 13 % 2000),
        "count": number * 37 % SIZE - 10,
        "share": Decimal(number * 31 % SIZE) / 8,
        "usual": number,
        "cost": Money(Decimal(number), "EUR" if number % 3 else "USD"),
        "keep": Duration(number % 5, number * 86_400),
    }
    # Every tenth says nothing.
    return Node(f"t{number:03}", "Thing", {name: Fact(value) for name, value in values.items() if number % 10})


def program_of(form: str):
    pack = f"policy pack\nuse schema\nrule r\n    for each Thing\n    must ({form})"
    program, found = compile_packs([SourceFile("s.policy", SCHEMA), SourceFile("p.policy", pack)])
    assert program is not None, found
    return program


def asked(form: str, nodes: list[Node], monkeypatch) -> int:
    """Decide an estate as a whole, compare with the point evaluator, and return how many values were decided."""
    program, snapshot = program_of(form), Snapshot.build(nodes)
    calls = []
    value = Points.value
    monkeypatch.setattr(Points, "value", lambda *given: (calls.append(1), value(*given))[1])
    results = SetEvaluator(program, EstateFile(estate_bytes(table_of(snapshot, EvidenceSet(), {}, {})))).evaluate(AT)
    point, rule = PointEvaluator(World(program, snapshot, EvidenceSet())), program.rules["pack.r"]
    for node in nodes:
        assert results.status("pack.r", node.id) is point.evaluate(rule, node.id, AT).status, node
    return len(calls)


@pytest.mark.parametrize("form", ORDERED)
def test_few_values_are_asked_where_they_have_one_order(form, monkeypatch):
    (one,) = plan_of(program_of(form)).rules.values()
    assert isinstance(one.requirement, plan.Decided)
    assert one.requirement.ordered is ORDERED[form]
    assert asked(form, [thing(number) for number in range(SIZE)], monkeypatch) < 14


@pytest.mark.parametrize("form", ONE_BY_ONE)
def test_every_value_is_asked_where_they_have_none(form, monkeypatch):
    (one,) = plan_of(program_of(form)).rules.values()
    assert all(not isinstance(c, plan.Decided) or c.ordered is None for c in plan.everything_in(one.requirement))
    assert asked(form, [thing(number) for number in range(SIZE)], monkeypatch) > 80


def test_values_of_another_type_than_the_schema_says_are_asked_one_by_one(monkeypatch):
    # A month after an instant falls where the next day's begins, so these are not in one order.
    odd = [Node(f"o{n}", "Thing", {"day": Fact(AT - timedelta(hours=n * 7))}) for n in range(200)]
    assert asked("thing.day + 1 month < now", odd, monkeypatch) == 200
    mixed = [*odd[:40], *[Node(f"d{n}", "Thing", {"day": Fact(date(2026, 3, 1 + n))}) for n in range(30)]]
    assert asked("thing.day < today", mixed, monkeypatch) == 70


@settings(max_examples=500, deadline=None)
@given(
    days=st.lists(st.dates(), min_size=2, max_size=30),
    months=st.integers(-130_000, 130_000) | st.integers(-30, 30),
    seconds=st.integers(-(10**12), 10**12) | st.integers(-(10**7), 10**7),
)
def test_a_date_that_is_moved_never_overtakes_a_later_one(days, months, seconds):
    moved = [add(day, Duration(months, seconds)) for day in sorted(days)]
    assert moved == sorted(moved)


def test_instants_do_overtake_each_other_when_moved_by_months():
    early, late = datetime(2026, 1, 30, 23, tzinfo=UTC), datetime(2026, 1, 31, 1, tzinfo=UTC)
    assert add(early, Duration(1)) > add(late, Duration(1))


def test_the_order_of_a_column_is_that_of_its_values():
    nodes = [Node(f"t{n}", "Thing", {"share": Fact(Decimal(n) / 4)}) for n in (3, 1, 2)]
    program = program_of("thing.share > 1")
    estate = SetEvaluator(
        program, EstateFile(estate_bytes(table_of(Snapshot.build(nodes), EvidenceSet(), {}, {})))
    ).estate
    codes, _ = estate.codes("share")
    places = estate.order("share", Simple.NUMBER)
    assert places is not None
    assert places[:2].tolist() == [-1, -1]
    by_id = [estate.file.number(f"t{n}") for n in (1, 2, 3)]
    assert np.diff(places[codes[by_id]]).tolist() == [1, 1]
    assert estate.order("share", Simple.DATE) is None
