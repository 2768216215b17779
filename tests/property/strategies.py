"""Hypothesis strategies that make schema, policies, lineage and evidence together.

Policies are made as text, so that the parser and the checker are on the way to every evaluation.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from policy_dsl import compile_packs
from policy_dsl.diagnostics import Severity, render_text
from policy_dsl.source import SourceFile
from policy_dsl.typed.tree import Program
from policy_dsl.values import Money
from policy_engine.evaluation.world import World
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet

SCHEMA = """
policy schema
enum Colour { red, green, blue }
node Thing {
    flag: Boolean
    number: Integer
    day: Date
    colour: Colour
    tags: set of Colour
    name: Text
    usual: Boolean = false
    keep: Duration
    cost: Money
}
node Model is Thing
node Data is Thing
edge made_of from Thing to Thing reverse makes lineage
edge trained from Model to Data reverse trains lineage
edge has_part from Thing to Model reverse part_of part
edge owned from Thing to Thing reverse owns
evidence audit on Thing { score: Integer passed: Boolean }
role auditor
role steward
"""
START = date(2026, 1, 1)
AT = datetime(2026, 6, 15, 12, tzinfo=UTC)
KINDS = ("Thing", "Model", "Data")
DAYS = st.integers(-40, 400).map(lambda n: START + timedelta(days=n))
INSTANTS = st.integers(-40 * 24, 400 * 24).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n))
DURATIONS = st.sampled_from(["1 month", "12 months", "30 days", "36 hours", "2 years"])


@st.composite
def conditions(draw: st.DrawFn, variables: tuple[str, ...], depth: int, fresh: int = 0) -> str:
    """A condition over variables that stand for things."""
    variable = draw(st.sampled_from(variables))
    simple = [
        f"{variable}.flag",
        f"{variable}.usual",
        f"{variable}.number {draw(st.sampled_from(['<', '<=', '>', '>=', 'is', 'is not']))} {draw(st.integers(0, 3))}",
        f"{variable}.number + 1 between 1 and {draw(st.integers(1, 4))}",
        f"{variable}.colour {draw(st.sampled_from(['is', 'is not']))} {draw(st.sampled_from(['red', 'green']))}",
        f"{variable}.colour in {{red, blue}}",
        f"{variable}.tags contains green",
        f'{variable}.name like "a*b?"',
        f'{variable}.name starts with "a"',
        f"{variable}.{draw(st.sampled_from(['flag', 'tags']))} is {draw(st.sampled_from(['known', 'unknown']))}",
        f"(({variable}.number if unknown then 1) > 1)",
        f"today {draw(st.sampled_from(['<', '<=', '>', '>=']))} {variable}.day + {draw(DURATIONS)}",
        f"now - {draw(st.sampled_from(['30 days', '36 hours']))} {draw(st.sampled_from(['<', '>=']))} {draw(DAYS)}",
        f"{variable} is {draw(st.sampled_from(variables))}",
        f"helper({variable})",
        f"{variable}.cost {draw(st.sampled_from(['<', '>=', 'is']))} {draw(st.sampled_from(['2.50 EUR', '1 USD']))}",
        f"{variable}.cost + 1 EUR < 3 EUR",
        f"(score of latest evidence audit on {variable}{draw(ages())}) >= 1",
        f"now < (issued of latest evidence audit on {variable}) + 100 days",
    ]
    if depth == 0:
        return draw(st.sampled_from(simple))
    form = draw(
        st.sampled_from(["simple", "not", "and", "or", "if", "evidence", "count", "count", "count", "aggregate"])
    )
    inner = conditions(variables, depth - 1, fresh)
    match form:
        case "not":
            return f"not ({draw(inner)})"
        case "and" | "or":
            return f"(({draw(inner)}) {form} ({draw(inner)}))"
        case "if":
            return f"(if {draw(inner)} then {draw(inner)})"
        case "evidence":
            return f"({variable} {draw(patterns())})"
        case "count":
            return draw(counts(variables, depth, fresh))
        case "aggregate":
            return draw(aggregates(variables, depth, fresh))
        case _:
            return draw(st.sampled_from(simple))


def ages() -> st.SearchStrategy[str]:
    """A limit of age, or none."""
    return st.one_of(st.just(""), DURATIONS.map(lambda d: f" not older than {d}"))


@st.composite
def aggregates(draw: st.DrawFn, variables: tuple[str, ...], depth: int, fresh: int) -> str:
    """A comparison with a value made of many."""
    name = f"a{fresh}_{depth}"
    anchor = draw(st.sampled_from(variables))
    found = draw(
        st.sampled_from(
            [
                "",
                f" in {anchor}.made_of/owned*",
                f" in {anchor}.owns*/made_of",
                f" upstream of {anchor}",
                f" in {anchor}.makes*",
            ]
        )
    )
    where = f" where ({draw(conditions((*variables, name), depth - 1, fresh + 3))})" if draw(st.booleans()) else ""
    members = f"Thing as {name}{found}{where}"
    value = draw(
        st.sampled_from(
            [
                f"(count of {members}) >= 2",
                f"(sum of {name}.number over {members}) > 2",
                f"(average of {name}.number over {members}) >= 1.5",
                f"(min of {name}.day over {members}) < {START}",
                f"(max of {name}.cost over {members}) >= 2 EUR",
                f"(sum of {name}.cost over {members}) >= 2 EUR",
            ]
        )
    )
    return f"({value})"


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """``has evidence …``."""
    signed = draw(st.sampled_from(["", " signed by auditor", " signed by at least 2 distinct steward"]))
    age = draw(ages())
    where = draw(st.sampled_from(["", " where score >= 1", " where passed and score is known"]))
    return f"has evidence audit{signed}{age}{where}"


@st.composite
def counts(draw: st.DrawFn, variables: tuple[str, ...], depth: int, fresh: int) -> str:
    """A quantifier in brackets."""
    anchor = draw(st.sampled_from(variables))
    name = f"v{fresh}_{depth}"
    scope = (*variables, name)
    word = draw(
        st.sampled_from(
            ["every", "some", "no", "at least 1", "at least 2", "at most 0", "at most 1", "exactly 1", "exactly 2"]
        )
    )
    via = draw(st.sampled_from(["", " via made_of", " via made_of, has_part", " via trained"]))
    hops = draw(st.sampled_from(["", " within 1 hop", " within 2 hops"]))
    barrier = ""
    if draw(st.booleans()):
        barred = f"b{fresh}_{depth}"
        condition = draw(conditions((*variables, barred), 0))
        barrier = f" not through ({draw(st.sampled_from(KINDS))} as {barred} where {condition})"
    found = draw(
        st.sampled_from(
            [
                "",
                f" in {anchor}.made_of",
                f" in {anchor}.made_of*/owned",
                f" in {anchor}.has_part/makes*",
                f" in {anchor}.owns",
                *[f" upstream of {anchor}{via}{hops}{barrier}"] * 3,
                *[f" downstream of {anchor}{via}{hops}{barrier}"] * 2,
            ]
        )
    )
    where = f" where ({draw(conditions(scope, depth - 1, fresh + 1))})" if draw(st.booleans()) else ""
    body = draw(
        st.one_of(
            patterns().map(lambda p: f" {p}"),
            conditions(scope, depth - 1, fresh + 2).map(lambda c: f" satisfies ({c})"),
        )
    )
    return f"({word} Thing as {name}{found}{where}{'' if word == 'some' and where else body})"


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A schema and a pack with one definition and one to three rules."""
    helper = re.sub(r"helper\((\w+)\)", r"\1.usual", draw(conditions(("thing",), 1)))
    lines = ["policy pack", "use schema", f"define helper(thing: Thing) as {helper}"]
    for number in range(draw(st.integers(2, 5))):
        lines.append(f"rule r{number}")
        if draw(st.booleans()):
            lines.append(
                f"    applies from {draw(DAYS)} until {date(2027, 6, 1) + timedelta(days=draw(st.integers(0, 90)))}"
            )
        lines.append(
            "    for each Thing" + (f" where {draw(conditions(('thing',), 1))}" if draw(st.booleans()) else "")
        )
        # Half of the rules ask about lineage at once: that is where evaluators differ most in how they work.
        required = draw(st.one_of(conditions(("thing",), 2), counts(("thing",), 2, 0)))
        lines.append(f"    {draw(st.sampled_from(['must', 'must not']))} {required}")
        if draw(st.booleans()):
            lines.append(f"    except excused when {draw(conditions(('thing',), 1))}")
        lines.append('    otherwise "{thing.name} fails {thing}"')
    text = "\n".join(lines)
    program, found = compile_packs([SourceFile("schema.policy", SCHEMA), SourceFile("pack.policy", text)])
    errors = [render_text(d, program.files) for d in found if d.severity is Severity.ERROR]
    assert not errors, "\n".join([text, *errors])
    return program


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Up to six things, with facts missing and contradicted, and any edges the schema allows, circles too."""
    ids = [f"n{i}" for i in range(draw(st.integers(2, 7)))]
    values: dict[str, st.SearchStrategy[Any]] = {
        "flag": st.booleans(),
        "number": st.integers(0, 3),
        "day": DAYS,
        "colour": st.sampled_from(["red", "green", "blue"]),
        "tags": st.frozensets(st.sampled_from(["red", "green"])),
        "name": st.sampled_from(["aabb", "ab", "b", ""]),
        "usual": st.booleans(),
        "cost": st.sampled_from([Money(Decimal("1"), "EUR"), Money(Decimal("2.5"), "EUR"), Money(Decimal("1"), "USD")]),
    }
    nodes = []
    for node_id in ids:
        known = {name: Fact(draw(value)) for name, value in values.items() if draw(st.integers(0, 3))}
        conflicts = {name: () for name in values if name not in known and draw(st.booleans())}
        nodes.append(Node(node_id, draw(st.sampled_from(KINDS)), known, conflicts))
    edges = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["made_of", "made_of", "has_part", "owned"]), st.sampled_from(ids), st.sampled_from(ids)
            ),
            max_size=14,
        )
    )
    return Snapshot.build(nodes, [Edge(*e) for e in edges])


@st.composite
def evidence_sets(draw: st.DrawFn, snapshot: Snapshot) -> EvidenceSet:
    """Evidence with windows, signers and fields, some missing."""
    records = []
    for number in range(draw(st.integers(0, 8))):
        issued = draw(INSTANTS)
        fields: dict[str, Any] = {}
        if draw(st.booleans()):
            fields["score"] = draw(st.integers(0, 2))
        if draw(st.booleans()):
            fields["passed"] = draw(st.booleans())
        records.append(
            Evidence(
                digest=f"sha256:{number:064x}",
                type="audit",
                subject=draw(st.sampled_from(sorted(snapshot.nodes))),
                issued=issued,
                counts_from=issued,
                counts_until=draw(
                    st.one_of(st.none(), st.integers(1, 3000).map(lambda h, i=issued: i + timedelta(hours=h)))
                ),
                fields=fields,
                signers=tuple(draw(st.lists(st.frozensets(st.sampled_from(["auditor", "steward"])), max_size=3))),
            )
        )
    return EvidenceSet.of(records)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Everything that an evaluation looks at."""
    snapshot = draw(snapshots())
    return World(draw(programs()), snapshot, draw(evidence_sets(snapshot)))
