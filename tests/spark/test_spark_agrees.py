"""On Spark every result is that of the other evaluators; what is not decided there is said or refused."""

from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("pyspark", reason="Spark needs PySpark")

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from policy_dsl import compile_packs
from policy_dsl.diagnostics import Severity
from policy_dsl.source import SourceFile
from policy_dsl.typed.tree import Program
from policy_dsl.values import Duration, add
from policy_engine.app.evaluate import evaluate
from policy_engine.app.inputs import read_inputs
from policy_engine.evaluation.point.evaluate import PointEvaluator
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.evaluation.sets.spark import SparkEvaluator, SparkResults
from policy_engine.evaluation.sets.spark_codes import SparkEvaluationError
from policy_engine.evaluation.sets.spark_evidence import young_enough
from policy_engine.evaluation.sets.spark_tables import EstateTables, write_tables
from policy_engine.evaluation.world import World
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet
from tests.cli.conftest import bank  # noqa: F401 - a fixture
from tests.property.strategies import SCHEMA, worlds
from tests.sets.estates import AT, evidence, program_of, snapshot
from tests.sets.test_sets_forms import IN_COLUMNS, LEFT
from tests.spark.spark_sessions import session

ONLY_IN_COLUMNS = "every Thing as x upstream of thing satisfies (x is thing or x.flag)"
"""Decided in columns of an estate file; in tables it is left, for every thing has a group of its own."""
ON_DRIVER = [*LEFT, ONLY_IN_COLUMNS]
DEFINITIONS = """
define helper(thing: Thing) as thing.flag or thing.colour is red
define near(thing: Thing, number: Integer) as some Thing as x in thing.made_of satisfies x.number < number
"""
spark = pytest.fixture(scope="module")(session)


def tables_of(spark, world: World, folder) -> EstateTables:
    write_tables(EstateFile(estate_bytes(table_of(world.snapshot, world.evidence, {}, {}))), folder)
    return EstateTables.open(spark, str(folder))


def statuses(results: SparkResults) -> dict[tuple[str, str], str]:
    rows = [((row["rule"], row["subject"]), row["status"]) for row in results.frame.collect()]
    assert len(rows) == len(dict(rows))
    return dict(rows)


def expected(world: World, at: datetime) -> dict[tuple[str, str], str]:
    """The statuses of the set evaluator, and of the point evaluator for what that one leaves."""
    sets = SetEvaluator(world.program, EstateFile(estate_bytes(table_of(world.snapshot, world.evidence, {}, {}))))
    results, point = sets.evaluate(at), PointEvaluator(world)
    left = {one.rule for one in results.left}
    return {
        (rule.name, subject): (
            point.evaluate(rule, subject, at).status if rule.name in left else results.status(rule.name, subject)
        ).value
        for rule in world.program.rules.values()
        for subject in world.subjects(rule)
    }


@pytest.fixture(scope="module")
def small(spark, tmp_path_factory) -> EstateTables:
    return tables_of(spark, World(program_of(""), snapshot(), evidence()), tmp_path_factory.mktemp("small") / "tables")


def test_every_form(small):
    # Rules come in bunches: what Spark is asked for together costs little more than what it is asked for once.
    forms = [*IN_COLUMNS, *ON_DRIVER]
    rules = [f"rule r{place}\n    for each Thing\n    must ({form})" for place, form in enumerate(forms)]
    program = program_of(DEFINITIONS + "\n".join(rules))
    results = SparkEvaluator(program, small).evaluate(AT)
    assert statuses(results) == expected(World(program, snapshot(), evidence()), AT)
    # A silent fall back to the driver would only be slow, so it is shown.
    left = {forms[int(one.rule.removeprefix("pack.r"))]: one.reason for one in results.left}
    assert left == {**LEFT, ONLY_IN_COLUMNS: "which thing it is decides"}
    assert {one.asked for one in results.left} == {6}


def test_a_rule_is_refused_by_name_where_the_estate_is_too_large_for_the_driver(small):
    program = program_of(f"rule r\n    for each Thing\n    must ({next(iter(LEFT))})")
    with pytest.raises(SparkEvaluationError, match=r"PE3551.*`pack\.r`.*the sum of many values.*6 nodes, more than 5"):
        SparkEvaluator(program, small, driver_limit=5).evaluate(AT)


def test_scope_exceptions_and_times_in_force(small):
    rules = """
rule scoped
    for each Thing where thing.flag
    must thing.number > 1
    except excused when thing.colour is blue
    except doubtful when thing.usual
rule later
    applies from 2027-01-01 until 2027-06-01
    for each Model
    must model.flag
rule none
    for each Data
    must not data.flag
    except unheard when data.tags contains red
"""
    program = program_of(rules)
    world = World(program, snapshot(), evidence())
    for at in (AT, datetime(2027, 1, 1, tzinfo=UTC)):
        assert statuses(SparkEvaluator(program, small).evaluate(at)) == expected(world, at)


def test_the_example_bank(spark, bank, tmp_path):  # noqa: F811 - the fixture above
    at = datetime(2026, 11, 21, tzinfo=UTC)
    whole = evaluate(read_inputs(bank), at)
    world = World(whole.program, whole.snapshot, whole.evidence.usable)
    results = SparkEvaluator(world.program, tables_of(spark, world, tmp_path / "tables")).evaluate(at)
    assert statuses(results) == expected(world, at)
    # One rule looks for the day of a notice in evidence, by a day that depends on the model: columns cannot say that.
    assert {one.rule for one in results.left} == {"eu_ai_act.systemic_risk.commission_notified"}


# --- worlds that nobody thought of ----------------------------------------------------------------------------------


def drawn(count: int) -> list[World]:
    found: list[World] = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds())
    def draw(world: World) -> None:
        found.append(world)

    draw()
    return found


def together(found: list[World]) -> World:
    """One world of many: each with its pack, and its things beside those of the others."""
    sources = [SourceFile("schema.policy", SCHEMA)]
    nodes, edges, records = [], [], []
    for place, world in enumerate(found):
        text = world.program.files["pack.policy"].text.replace("policy pack", f"policy pack{place}", 1)
        sources.append(SourceFile(f"pack{place}.policy", text))
        nodes += [
            Node(f"{place}.{node.id}", node.kind, node.attributes, node.conflicts)
            for node in world.snapshot.nodes.values()
        ]
        edges += [Edge(e.type, f"{place}.{e.source}", f"{place}.{e.target}") for e in world.snapshot.edges]
        records += [about(f"{place}.{record.subject}", record) for record in world.evidence.records()]
    program, problems = compile_packs(sources)
    assert isinstance(program, Program)
    assert [p.message for p in problems if p.severity is Severity.ERROR] == []
    return World(program, Snapshot.build(nodes, edges), EvidenceSet.of(records))


def about(subject: str, record: Evidence) -> Evidence:
    return Evidence(
        record.digest,
        record.type,
        subject,
        record.issued,
        record.counts_from,
        record.counts_until,
        record.fields,
        record.signers,
    )


@pytest.mark.slow
def test_drawn_worlds(spark, tmp_path):
    # Spark takes a second for what takes others a millisecond, so worlds are decided as one.
    world = together(drawn(6))
    results = SparkEvaluator(world.program, tables_of(spark, world, tmp_path / "tables")).evaluate(AT)
    found, wanted = statuses(results), expected(world, AT)
    wrong = {key: (found.get(key), status) for key, status in wanted.items() if found.get(key) != status}
    names = {rule.partition(".")[0] for rule, _ in wrong}
    texts = [world.program.files[f"{name}.policy"].text for name in sorted(names)]
    assert not wrong, "\n".join([str(wrong), *texts])
    assert found.keys() == wanted.keys()


def test_a_long_circle_and_a_long_chain(spark, tmp_path):
    size = 8
    nodes = [Node(f"n{i:02}", "Thing", {"flag": Fact(i % 4 == 2), "number": Fact(i)}) for i in range(2 * size)]
    edges = [Edge("made_of", f"n{i:02}", f"n{(i + 1) % size:02}") for i in range(size)]
    edges += [Edge("made_of", f"n{i:02}", f"n{i + 1:02}") for i in range(size - 1, 2 * size - 1)]
    edges += [Edge("made_of", f"n{i:02}", f"n{i:02}") for i in (0, size + 3)]
    rules = """
rule all
    for each Thing
    must every Thing as x upstream of thing not through (Thing as b where b.number is 11) satisfies not x.flag
rule near
    for each Thing
    must some Thing as x downstream of thing within 3 hops satisfies x.flag
rule many
    for each Thing
    must at least 3 Thing as x upstream of thing satisfies x.flag
"""
    world = World(program_of(rules), Snapshot.build(nodes, edges), EvidenceSet())
    results = SparkEvaluator(world.program, tables_of(spark, world, tmp_path / "tables")).evaluate(AT)
    assert statuses(results) == expected(world, AT)
    assert results.left == ()
    assert len(set(statuses(results).values())) == 2


# --- ages -----------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    issued=st.lists(st.integers(-800 * 86_400, 800 * 86_400), min_size=1, max_size=40),
    months=st.integers(-30, 30),
    seconds=st.sampled_from([0, 0, 3_600, -86_400, 10**12, -(10**12)]),
    later=st.integers(0, 800 * 86_400),
)
def test_spans_in_which_evidence_is_young_enough_are_those_of_the_language(issued, months, seconds, later):
    age, epoch = Duration(months, seconds), datetime(1970, 1, 1, tzinfo=UTC)
    at = epoch + timedelta(seconds=later)
    near = [second + later - months * 2_629_746 for second in (0, 3_600, 86_399, -43_200, 200_000, -200_000)]
    spans = young_enough(age, at)
    for second in (*issued, *near):
        wanted = at < add(epoch + timedelta(seconds=second), age)
        assert any(begin <= second < end for begin, end in spans) is wanted


# --- tables ---------------------------------------------------------------------------------------------------------


def test_what_is_written_comes_back(small):
    assert {n.id: (n.kind, {k: f.value for k, f in n.attributes.items()}) for n in small.snapshot().nodes.values()} == {
        n.id: (n.kind, {k: f.value for k, f in n.attributes.items()}) for n in snapshot().nodes.values()
    }
    assert [edge.key for edge in small.snapshot().edges] == [edge.key for edge in snapshot().edges]
    written, back = evidence(), small.evidence_set()
    assert len(list(back.records())) == len(list(written.records())) == 3
    assert all(record in back.about(record.subject, record.type) for record in written.records())


def test_tables_are_never_written_over(tmp_path):
    file = EstateFile(estate_bytes(table_of(snapshot(), evidence(), {}, {})))
    (tmp_path / "there").mkdir()
    with pytest.raises(SparkEvaluationError, match=r"PE3553.*is there already"):
        write_tables(file, tmp_path / "there")
    (tmp_path / "file").write_text("")
    with pytest.raises(SparkEvaluationError, match=r"PE3553.*cannot be written"):
        write_tables(file, tmp_path / "file" / "tables")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there"]


def test_tables_that_are_not_there(spark, tmp_path):
    with pytest.raises(SparkEvaluationError, match=r"PE3552.*no table `nodes`"):
        EstateTables.open(spark, str(tmp_path))


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("nodes", lambda frame: frame.drop("kind"), "PE3552.*`nodes` has no column `kind` of `string`"),
        ("edges", lambda frame: frame.selectExpr("type", "source", "cast(target as int) target"), "PE3552.*`bigint`"),
        ("nodes", lambda frame: frame.selectExpr("* except (`attribute.number`)", "1 as `attribute.number`"), "PE3552"),
        ("nodes", lambda frame: frame.union(frame.where("id = 'm1'")), "PE3554.*with the number `"),
        ("nodes", lambda frame: frame.selectExpr("* except (id)", "'same' as id"), "PE3554.*with the id `same`"),
        ("nodes", lambda frame: frame.where("id != 'd1'"), "PE3554.*not there: its source"),
        ("evidence", lambda frame: frame.selectExpr("* except (subject)", "99L as subject"), "PE3554.*`99`"),
        ("edges", lambda frame: frame.selectExpr("nullif(type, 'owned') type", "source", "target"), "`nothing`"),
    ],
)
def test_tables_that_contradict_themselves(small, table, change, message):
    frames = {"nodes": small.nodes, "edges": small.edges, "evidence": small.evidence}
    with pytest.raises(SparkEvaluationError, match=message):
        EstateTables(**{**frames, table: change(frames[table])})


@pytest.mark.parametrize("text", ["yes", '"a\nb"', "!", "1e400", '{"number":"NaN"}'])
def test_a_value_that_is_none_is_never_taken_for_one(small, text):
    from pyspark.sql.functions import lit

    nodes = small.nodes.withColumn("attribute.name", lit(text))
    program = program_of('rule r\n    for each Thing\n    must thing.name like "a*" and thing.number > 1')
    with pytest.raises(SparkEvaluationError, match="PE3554"):
        SparkEvaluator(program, EstateTables(nodes, small.edges, small.evidence)).evaluate(AT)


def test_an_estate_of_nothing(spark, tmp_path):
    program = program_of("rule r\n    for each Thing\n    must every Thing as x upstream of thing satisfies x.flag")
    world = World(program, Snapshot.build([], []), EvidenceSet())
    results = SparkEvaluator(program, tables_of(spark, world, tmp_path / "tables")).evaluate(AT)
    assert statuses(results) == {}


def test_rounds_are_kept_in_the_checkpoint_directory(spark, small, tmp_path):
    spark.sparkContext.setCheckpointDir(str(tmp_path / "rounds"))
    program = program_of("rule r\n    for each Thing\n    must some Thing as x upstream of thing satisfies x.flag")
    results = SparkEvaluator(program, small, reliable=True).evaluate(AT)
    assert statuses(results) == expected(World(program, snapshot(), evidence()), AT)
    assert any((tmp_path / "rounds").rglob("part-*"))
