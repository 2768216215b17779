"""Sources are joined by identity; what they disagree about stays open; what does not fit is told."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy_dsl.values import Duration
from policy_engine.lineage.claims import AttributeClaim, Claims, NodeClaim
from policy_engine.lineage.estate import Estate
from policy_engine.lineage.graph import Fact, Origin, Source
from policy_engine.lineage.join import join
from policy_engine.lineage.load import load_estate
from policy_engine.model.problems import Problem, Severity
from tests.lineage.estate_schema import SCHEMA, make_schema


def load(text: str, **others: str) -> Estate:
    files = {"a.yaml": "inventory: 1\nnodes:\n" + text, **{f"{name}.yaml": other for name, other in others.items()}}
    return load_estate({name: content.encode() for name, content in files.items()}, SCHEMA)


def only(estate: Estate) -> Problem:
    [problem] = estate.problems
    return problem


def test_an_inventory_becomes_a_graph_with_values_of_the_schema_types() -> None:
    estate = load_estate(
        {
            "estate.yaml": b"""\
inventory: 1
organisation: Example Bank
asserted_by: AI governance office
asserted_at: 2026-11-01
nodes:
  - id: credit-scoring
    kind: System
    aliases: [pkg:generic/example-bank/credit-scoring]
    name: Credit scoring
    stage: production
    profiles_persons: false
    placed_on_market: 2025-02-01
    reviewed_at: 2026-10-31T12:30:00.75+02:00
    users: 120
    error_rate: 0.80
    retention: 1 year 6 months
    regions: [EU, UK]
    uses_model: scorer
    owned_by: [maria.rossi]
    description: null
  - {id: scorer, kind: Model, trained_on: [loans, loans]}
  - {id: loans, kind: Dataset}
  - {id: maria.rossi, kind: Person}
"""
        },
        SCHEMA,
    )
    assert estate.problems == ()
    snapshot = estate.snapshot
    system = snapshot.nodes["credit-scoring"]
    assert {name: fact.value for name, fact in system.attributes.items()} == {
        "name": "Credit scoring",
        "stage": "production",
        "profiles_persons": False,
        "placed_on_market": date(2025, 2, 1),
        "reviewed_at": datetime(2026, 10, 31, 10, 30, tzinfo=UTC),
        "users": 120,
        "error_rate": Decimal("0.80"),
        "retention": Duration(months=18),
        "regions": frozenset({"EU", "UK"}),
    }
    assert str(snapshot.value("credit-scoring", "error_rate")) == "0.80"
    assert system.aliases == ("pkg:generic/example-bank/credit-scoring",)
    assert system.attributes["stage"].origins == (Origin("estate.yaml", "/nodes/0/stage", 10),)
    assert system.origins == (Origin("estate.yaml", "/nodes/0", 6),)
    [source] = snapshot.sources
    assert (source.name, source.format, source.asserted_by) == ("estate.yaml", "inventory", "AI governance office")
    assert source.asserted_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert [edge.key for edge in snapshot.edges] == [
        ("owned_by", "credit-scoring", "maria.rossi"),
        ("trained_on", "scorer", "loans"),
        ("uses_model", "credit-scoring", "scorer"),
    ]


def test_a_default_is_never_written_in_and_null_is_not_a_value() -> None:
    estate = load("- {id: m, kind: Model, stage: null, name: null}\n")
    assert estate.problems == ()
    assert estate.snapshot.nodes["m"].attributes == {}


def test_edges_may_be_written_from_either_end() -> None:
    forwards = load("- {id: m, kind: Model, trained_on: d}\n- {id: d, kind: Dataset}\n")
    backwards = load("- {id: m, kind: Model}\n- {id: d, kind: Dataset, trains: m}\n")
    assert forwards.problems == backwards.problems == ()
    assert forwards.snapshot.facts_digest == backwards.snapshot.facts_digest
    assert forwards.snapshot.targets("m", "trained_on") == ("d",)


def test_cycles_and_edges_to_oneself_are_data() -> None:
    estate = load("- {id: a, kind: Model, finetuned_from: [b, a]}\n- {id: b, kind: Model, finetuned_from: a}\n")
    assert estate.problems == ()
    assert estate.snapshot.targets("a", "finetuned_from") == ("a", "b")


def test_equal_values_from_two_places_are_one_fact_with_two_origins() -> None:
    estate = load(
        "- {id: s, kind: System, error_rate: 0.80, regions: [EU, UK]}\n",
        b="inventory: 1\nnodes:\n- {id: s, kind: System, error_rate: 0.8, regions: [UK, EU]}\n",
    )
    assert estate.problems == ()
    fact = estate.snapshot.nodes["s"].attributes["error_rate"]
    assert [origin.source for origin in fact.origins] == ["a.yaml", "b.yaml"]
    assert len(estate.snapshot.nodes["s"].origins) == 2


def test_a_contradiction_is_kept_and_told_and_never_settled() -> None:
    estate = load(
        "- id: s\n  kind: System\n  stage: production\n",
        b="inventory: 1\nnodes:\n- {id: s, kind: System, stage: retired, users: 1}\n",
    )
    node = estate.snapshot.nodes["s"]
    assert estate.snapshot.value("s", "stage") is None
    assert "stage" not in node.attributes
    assert [(fact.value, fact.origins[0].source) for fact in node.conflicts["stage"]] == [
        ("production", "a.yaml"),
        ("retired", "b.yaml"),
    ]
    assert estate.snapshot.value("s", "users") == 1
    problem = only(estate)
    assert (problem.code, problem.severity, problem.file, problem.line) == ("PE3143", Severity.WARNING, "a.yaml", 5)
    assert problem.message == (
        "`stage` of `s` is `production` in a.yaml:5 and `retired` in b.yaml:3; it counts as unknown"
    )


def test_what_the_inventory_calls_a_thing_stands_and_tools_among_themselves_contradict() -> None:
    def said(name: str, value: str, *, own: bool = False) -> Claims:
        origin = (Origin(name, "/0"),)
        source = Source(name, "sha256:" + "0" * 64, "test", name)
        node = NodeClaim("scorer", "Model", (), origin)
        return Claims((source,), own, (node,), (AttributeClaim("scorer", "name", value, origin),))

    ours, one, other = said("register", "Scorer", own=True), said("bom", "scorer-v2"), said("serving", "Scorer")
    for order in permutations([ours, one, other]):
        snapshot, problems = join(order, SCHEMA)
        fact = snapshot.nodes["scorer"].attributes["name"]
        assert (fact.value, [origin.source for origin in fact.origins]) == ("Scorer", ["register", "serving"])
        assert not problems
    snapshot, problems = join([one, other], SCHEMA)
    assert "name" in snapshot.nodes["scorer"].conflicts
    assert [problem.code for problem in problems] == ["PE3143"]


def test_a_contradiction_within_one_file_is_one_too() -> None:
    estate = load("- {id: s, kind: System, users: 1}\n- {id: s, kind: System, users: 2}\n")
    assert only(estate).code == "PE3143"
    assert estate.snapshot.value("s", "users") is None


def test_null_contradicts_nothing() -> None:
    estate = load("- {id: s, kind: System, users: 1}\n- {id: s, kind: System, users: null}\n")
    assert estate.problems == ()
    assert estate.snapshot.value("s", "users") == 1


def test_names_that_are_declared_to_be_one_thing_are_joined() -> None:
    estate = load(
        "- {id: scorer, kind: Model, aliases: ['pkg:x/scorer'], name: Scorer}\n",
        b="inventory: 1\nnodes:\n- {id: 'pkg:x/scorer', kind: Model, task: ranking}\n",
    )
    assert [problem.code for problem in estate.problems] == ["PE3149"]  # both are ids of inventories
    estate = load(
        "- {id: scorer, kind: Model, aliases: 'pkg:x/scorer'}\n- {id: s, kind: System, uses_model: pkg:x/scorer}\n",
    )
    assert estate.problems == ()
    assert estate.snapshot.targets("s", "uses_model") == ("scorer",)
    assert estate.snapshot.nodes["scorer"].aliases == ("pkg:x/scorer",)


def test_two_ids_of_the_inventory_under_one_alias_are_joined_aloud() -> None:
    estate = load("- {id: b, kind: Model, aliases: [x]}\n- {id: a, kind: Model, aliases: [x]}\n")
    problem = only(estate)
    assert (problem.code, problem.severity) == ("PE3149", Severity.WARNING)
    assert list(estate.snapshot.nodes) == ["a"]
    assert estate.snapshot.nodes["a"].aliases == ("b", "x")


def test_of_two_kinds_the_more_special_is_taken() -> None:
    estate = load(
        "- {id: s, kind: System}\n- {id: s, kind: HighRiskSystem, annex_iii: '5(b)'}\n- {id: s, kind: Thing}\n"
    )
    assert estate.problems == ()
    assert estate.snapshot.nodes["s"].kind == "HighRiskSystem"
    assert estate.snapshot.value("s", "annex_iii") == "5(b)"


def test_kinds_that_cannot_both_be_true_are_an_error_that_names_both_places() -> None:
    estate = load("- {id: s, kind: System}\n", b="inventory: 1\nnodes:\n- {id: s, kind: Model}\n")
    problem = only(estate)
    assert (problem.code, problem.severity) == ("PE3144", Severity.ERROR)
    assert problem.message == "`s` is of kind Model in b.yaml:3 and of kind System in a.yaml:3"


MISTAKES = {
    "unknown kind": ("- {id: s, kind: Sytem}", "PE3140", Severity.ERROR, "did you mean `System`?", 3, 3),
    "unknown attribute": (
        "- {id: s, kind: System, stge: x}",
        "PE3141",
        Severity.WARNING,
        "did you mean `stage`?",
        3,
        31,
    ),
    "unknown edge": (
        "- {id: s, kind: System, uses_mdel: x}",
        "PE3141",
        Severity.WARNING,
        "did you mean `uses_model`?",
        3,
        36,
    ),
    "attribute of another kind": ("- {id: s, kind: System, task: x}", "PE3141", Severity.WARNING, None, 3, 31),
    "enum": (
        "- {id: s, kind: System, stage: prodction}",
        "PE3142",
        Severity.ERROR,
        "did you mean `production`?",
        3,
        32,
    ),
    "yes is a text": (
        "- {id: s, kind: System, profiles_persons: yes}",
        "PE3142",
        Severity.ERROR,
        None,
        3,
        43,
    ),
    "number for text": ("- {id: s, kind: System, version: 1.10}", "PE3142", Severity.ERROR, "put it in quotes", 3, 34),
    "text for number": (
        "- {id: s, kind: System, users: '5'}",
        "PE3142",
        Severity.ERROR,
        "write it without quotes",
        3,
        32,
    ),
    "fraction for integer": ("- {id: s, kind: System, users: 5.0}", "PE3142", Severity.ERROR, None, 3, 32),
    "integer beyond 2^53": ("- {id: s, kind: System, users: 9007199254740993}", "PE3142", Severity.ERROR, None, 3, 32),
    "boolean for integer": ("- {id: s, kind: System, users: true}", "PE3142", Severity.ERROR, None, 3, 32),
    "no such date": ("- {id: s, kind: System, placed_on_market: 2026-02-30}", "PE3142", Severity.ERROR, None, 3, 43),
    "instant without offset": (
        "- {id: s, kind: System, reviewed_at: 2026-02-01T10:00:00}",
        "PE3142",
        Severity.ERROR,
        "write it like `2027-12-31T09:00:00Z`",
        3,
        38,
    ),
    "duration": (
        "- {id: s, kind: System, retention: 3 fortnights}",
        "PE3142",
        Severity.ERROR,
        "write it like `1 year 6 months` or `30 days`",
        3,
        36,
    ),
    "set with a wrong item": (
        "- {id: s, kind: System, regions: [EU, 7]}",
        "PE3142",
        Severity.ERROR,
        "put it in quotes",
        3,
        34,
    ),
    "mapping for text": ("- {id: s, kind: System, name: {en: x}}", "PE3142", Severity.ERROR, None, 3, 31),
    "edge to nothing": (
        "- {id: sys, kind: System, uses_model: scorr}\n- {id: scorer, kind: Model}",
        "PE3145",
        Severity.ERROR,
        "did you mean `scorer`?",
        3,
        39,
    ),
    "edge that does not fit": (
        "- {id: s, kind: System, trained_on: d}\n- {id: d, kind: Dataset}",
        "PE3146",
        Severity.ERROR,
        "from System to Dataset fit: `depends_on`",
        3,
        37,
    ),
    "edge the wrong way round": (
        "- {id: d, kind: Dataset, trained_on: m}\n- {id: m, kind: Model}",
        "PE3146",
        Severity.ERROR,
        "the other way round it fits: use `trains`, or swap the ends",
        3,
        38,
    ),
    "edge with a number": ("- {id: s, kind: System, uses_model: 7}", "PE3121", Severity.ERROR, None, 3, 37),
    "no id": ("- {kind: System}", "PE3120", Severity.ERROR, None, 3, 3),
    "id is a number": ("- {id: 007.5, kind: System}", None, Severity.ERROR, None, 3, 7),
    "id is a true number": ("- {id: 7.5, kind: System}", "PE3121", Severity.ERROR, "put it in quotes", 3, 8),
    "id is empty": (
        "- {id: '', kind: System}",
        "PE3124",
        Severity.ERROR,
        "a name is 1 to 1024 printable characters without space at its ends",
        3,
        3,
    ),
    "id with a line break": ('- {id: "a\\nb", kind: System}', "PE3124", Severity.ERROR, "…", 3, 3),
    "id that turns the text round": ('- {id: "a\\u202eb", kind: System}', "PE3124", Severity.ERROR, "…", 3, 3),
    "alias with space at its end": ("- {id: a, kind: System, aliases: ['b ']}", "PE3124", Severity.ERROR, "…", 3, 3),
    "node is a text": ("- scorer", "PE3121", Severity.ERROR, None, 3, 3),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_inventory_is_told_with_its_place(name: str) -> None:
    text, code, severity, advice, line, column = MISTAKES[name]
    estate = load(text + "\n")
    if code is None:
        assert estate.problems == ()
        return
    problem = only(estate)
    assert (problem.code, problem.severity, problem.line, problem.column) == (code, severity, line, column), problem
    if advice != "…":
        assert problem.help == advice
    assert problem.message[0].islower() or problem.message[0] == "`"
    assert not problem.message.endswith(".")
    # What is wrong is left unknown; nothing is made up in its place.
    assert all(not node.attributes and not node.conflicts for node in estate.snapshot.nodes.values())
    assert estate.snapshot.edges == ()


def test_strict_turns_every_warning_into_an_error() -> None:
    files = {"a.yaml": b"inventory: 1\nnodes:\n- {id: s, kind: System, stge: x}\n"}
    assert not load_estate(files, SCHEMA).has_errors
    strict = load_estate(files, SCHEMA, strict=True)
    assert strict.has_errors
    assert [problem.severity for problem in strict.problems] == [Severity.ERROR]


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("inventory: 2", "PE3123"),
        ("inventory: true", "PE3123"),
        ("inventory: '1'", "PE3123"),
        ("inventory: 1\norganization: x", "PE3122"),
        ("inventory: 1\nasserted_at: yesterday", "PE3121"),
        ("inventory: 1\nasserted_by: [a]", "PE3121"),
    ],
)
def test_a_head_that_is_not_understood_is_an_error(head: str, code: str) -> None:
    problem = only(load_estate({"a.yaml": f"{head}\nnodes: []\n".encode()}, SCHEMA))
    assert (problem.code, problem.severity, problem.line) == (code, Severity.ERROR, head.count("\n") + 1)


def test_an_inventory_without_nodes_says_so() -> None:
    assert only(load_estate({"a.yaml": b"inventory: 1\n"}, SCHEMA)).code == "PE3120"


def test_the_same_mistake_in_json_has_its_place_too() -> None:
    data = b'{"inventory": 1,\n "nodes": [\n  {"id": "s", "kind": "System",\n   "stage": "prodction"}]}'
    problem = only(load_estate({"a.json": data}, SCHEMA))
    assert str(problem) == (
        "a.json:4:13: error[PE3142]: `stage` is the text `prodction`, and one of `development`, `staging`,"
        " `production`, `retired` is expected (at nodes[0].stage)"
    )


def test_yaml_and_json_say_the_same() -> None:
    text = "inventory: 1\nnodes:\n- {id: s, kind: System, error_rate: 0.80, users: 3, regions: [EU]}\n"
    as_json = b'{"inventory": 1, "nodes": [{"id":"s","kind":"System","error_rate":0.80,"users":3,"regions":["EU"]}]}'
    first = load_estate({"a.yaml": text.encode()}, SCHEMA).snapshot
    assert first.facts_digest == load_estate({"a.json": as_json}, SCHEMA).snapshot.facts_digest


def test_documents_of_one_file_are_sources_of_their_own() -> None:
    first = b"inventory: 1\nasserted_by: x\nnodes: [{id: a, kind: System, stage: bad}]\n"
    second = b"inventory: 1\nasserted_by: y\nnodes: [{id: a, kind: System, users: -x}]\n"
    data = first + b"---\n" + second
    estate = load_estate({"a.yaml": data}, SCHEMA)
    assert [(source.name, source.asserted_by) for source in estate.snapshot.sources] == [
        ("a.yaml#1", "x"),
        ("a.yaml#2", "y"),
    ]
    assert [(problem.file, problem.line) for problem in estate.problems] == [("a.yaml", 3), ("a.yaml", 7)]


_VALUES = {
    "name": st.sampled_from(["x", "y"]),
    "stage": st.sampled_from(["production", "retired", "nonsense", None]),
    "users": st.integers(0, 2),
    "error_rate": st.sampled_from([0.5, 1, "0.5"]),
    "regions": st.lists(st.sampled_from(["EU", "UK", "US"]), max_size=3),
    "thresholds": st.lists(st.sampled_from([0.5, 1, 2.25]), max_size=3),
}
_NAMES = st.sampled_from(["a", "b", "c", "d", "pkg:x"])
_entries = st.builds(
    lambda node_id, kind, aliases, values, edges: {"id": node_id, "kind": kind, "aliases": aliases} | values | edges,
    _NAMES,
    st.sampled_from(["System", "HighRiskSystem", "Model", "Dataset"]),
    st.lists(_NAMES, max_size=1),
    st.fixed_dictionaries({}, optional=_VALUES),
    st.dictionaries(
        st.sampled_from(["uses_model", "used_by", "trained_on", "finetuned_from", "depends_on"]),
        st.lists(_NAMES, max_size=2),
        max_size=2,
    ),
)


def _as_files(entries: list[Mapping[str, object]], cuts: int) -> dict[str, bytes]:
    size = max(1, len(entries) // cuts)
    parts = [entries[start : start + size] for start in range(0, len(entries), size)] or [[]]
    return {
        f"{number}.yaml": yaml.safe_dump({"inventory": 1, "asserted_by": "us", "nodes": part}).encode()
        for number, part in enumerate(parts)
    }


@given(st.lists(_entries, max_size=8), st.randoms(use_true_random=False), st.integers(1, 4))
def test_the_order_of_files_and_of_entries_changes_nothing(
    entries: list[Mapping[str, object]], rng: object, cuts: int
) -> None:
    files = _as_files(entries, cuts)
    names = list(files)
    rng.shuffle(names)  # type: ignore[attr-defined]
    first, again = load_estate(files, SCHEMA), load_estate({name: files[name] for name in names}, SCHEMA)
    # The same files in another order: the same bytes and the same problems.
    assert first == again
    assert first.snapshot.digest == again.snapshot.digest
    # The same entries in another order, and in other files: the same facts, though from other places.
    shuffled = list(entries)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    moved = load_estate(_as_files(shuffled, 1), SCHEMA)
    assert moved.snapshot.facts_digest == first.snapshot.facts_digest
    assert sorted(problem.code for problem in moved.problems) == sorted(problem.code for problem in first.problems)


def test_without_a_vendor_kind_nothing_breaks() -> None:
    schema = make_schema(without=frozenset({"Vendor", "supplied_by"}))
    estate = load_estate({"a.yaml": b"inventory: 1\nnodes: [{id: a, kind: Vendor}]\n"}, schema)
    assert only(estate).code == "PE3140"


def _says(name: str, raw: list[object], *, own: bool = False, attribute: str = "regions") -> Claims:
    at = (Origin(name, "/0"),)
    nodes, facts = (NodeClaim("s", "System", (), at),), (AttributeClaim("s", attribute, raw, at),)
    return Claims((Source(name, "sha256:00", "tool", name),), own, nodes, facts)


def test_sets_that_others_assert_are_united_and_say_who_asserts_them() -> None:
    told = [_says("card", ["EU", "UK"]), _says("bom", ["EU", "US"]), _says("none", ["unknown"])]
    for order in permutations(told):
        snapshot, problems = join(order, SCHEMA)
        assert problems == ()
        fact = snapshot.nodes["s"].attributes["regions"]
        assert fact == Fact(frozenset({"EU", "UK", "US"}), (Origin("bom", "/0"), Origin("card", "/0")))


def test_the_inventory_does_not_unite_with_itself_nor_with_what_others_assert() -> None:
    ours = [_says("a", ["EU"], own=True), _says("b", ["UK"], own=True)]
    snapshot, problems = join(ours, SCHEMA)
    assert [problem.code for problem in problems] == ["PE3143"]
    assert [fact.value for fact in snapshot.nodes["s"].conflicts["regions"]] == [frozenset({"EU"}), frozenset({"UK"})]
    snapshot, problems = join([ours[0], _says("card", ["EU", "UK"])], SCHEMA)
    assert [problem.code for problem in problems] == ["PE3143"]
    # Together others may assert what the inventory says.
    parts = [_says("a", ["EU", "UK"], own=True), _says("card", ["EU"]), _says("bom", ["UK"])]
    snapshot, problems = join(parts, SCHEMA)
    assert problems == ()
    assert len(snapshot.nodes["s"].attributes["regions"].origins) == 3


def test_equal_numbers_in_united_sets_are_written_the_same_in_every_order() -> None:
    told = [
        _says(f"d{n}", [Decimal(number), 2], attribute="thresholds") for n, number in enumerate(("0.50", "0.5", "1"))
    ]
    digests = {join(order, SCHEMA)[0].digest for order in permutations(told)}
    assert len(digests) == 1
    value = join(told, SCHEMA)[0].value("s", "thresholds")
    assert value == frozenset({Decimal("0.5"), 1, 2})
