"""Files are read within bounds, strictly, and what is wrong is named with its place."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.lineage.documents import Limits, read_documents
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.json_text import find_place, read_json, scan_json
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.located import step
from policy_engine.lineage.yaml_text import read_yaml
from policy_engine.model.problems import Problem, Severity, readable
from tests.lineage.estate_schema import SCHEMA


def refusal(file: str, data: bytes, limits: Limits | None = None) -> Problem:
    with pytest.raises(LineageError) as caught:
        read_documents(file, data, limits or Limits())
    return caught.value.problem


BAD_FILES = {
    "json key twice": ("a.json", b'{"a": 1,\n "b": {"x": 1, "x": 2}}', "PE3105", 2, 16),
    "json NaN": ("a.json", b'{"a": NaN}', "PE3106", 1, 7),
    "json minus infinity": ("a.json", b'{"a": [1, -Infinity]}', "PE3106", 1, 11),
    "json 1e400": ("a.json", b'{"a": 1e400}', "PE3106", 1, 7),
    "json 1E-400": ("a.json", b'{"a": 1E-400}', "PE3106", 1, 7),
    "json an integer of a million digits": ("a.json", b'{"a": ' + b"9" * 1_000_000 + b"}", "PE3106", 1, 7),
    "json half a surrogate pair": ("a.json", b'{"a": "\\ud800"}', "PE3109", 1, 7),
    "json half a surrogate pair in a key": ("a.json", b'{"\\udc00": 1}', "PE3109", 1, 2),
    "json trailing text": ("a.json", b"{} {}", "PE3104", 1, 4),
    "json trailing comma": ("a.json", b'{"a": 1,}', "PE3104", 1, 9),
    "json not closed": ("a.json", b'{"a": [1, 2', "PE3104", 1, 12),
    "json open text": ("a.json", b'{"a": "b}', "PE3104", 1, 7),
    "json bad escape": ("a.json", b'{"a": "\\x"}', "PE3104", 1, 7),
    "json control character": ("a.json", b'{"a": "\x01"}', "PE3104", 1, 7),
    "json a bare word": ("a.json", b'{"a": yes}', "PE3104", 1, 7),
    "json empty": ("a.json", b"", "PE3104", 1, 1),
    "json no colon": ("a.json", b'{"a" 1}', "PE3104", 1, 6),
    "json depth bomb": ("a.json", b"[" * 100_000, "PE3103", 1, 65),
    "json depth in good form": ("a.json", b"[" * 65 + b"]" * 65, "PE3103", 1, 65),
    "yaml key twice": ("a.yaml", b"a: 1\nb:\n  x: 1\n  x: 2\n", "PE3105", 4, 3),
    "yaml key twice, one in quotes": ("a.yaml", b"a: 1\n'a': 2\n", "PE3105", 2, 1),
    "yaml .nan": ("a.yaml", b"a: .nan\n", "PE3106", 1, 4),
    "yaml -.inf": ("a.yaml", b"a:\n- -.inf\n", "PE3106", 2, 3),
    "yaml 1e400": ("a.yaml", b"a: 1e400\n", "PE3106", 1, 4),
    "yaml a number of a million digits": ("a.yaml", b"a: 0x" + b"f" * 1_000_000, "PE3106", 1, 4),
    "yaml alias": ("a.yaml", b"a: &x [1]\nb: *x\n", "PE3107", 2, 4),
    "yaml billion laughs": (
        "a.yaml",
        b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (n, n, n - 1, n - 1) for n in range(98, 120)),
        "PE3107",
        2,
        8,
    ),
    "yaml merge key": ("a.yaml", b"a:\n  <<: {b: 1}\n", "PE3107", 2, 3),
    "yaml code tag": ("a.yaml", b"a: !!python/object/apply:os.system ['true']\n", "PE3108", 1, 4),
    "yaml number tag": ("a.yaml", b"a: !!int '7'\n", "PE3108", 1, 4),
    "yaml key is a list": ("a.yaml", b"? [a, b]\n: 1\n", "PE3110", 1, 3),
    "yaml syntax": ("a.yaml", b"a: [1, 2\nb: 3\n", "PE3104", 2, 2),
    "yaml tab": ("a.yaml", b"a:\n\t- 1\n", "PE3104", 2, 1),
    "yaml control character": ("a.yaml", b"a: x\nb: \x01\n", "PE3104", 2, 4),
    "yaml depth bomb": ("a.yaml", b"a: " + b"[" * 5_000, "PE3103", 1, 67),
    "yaml depth bomb of mappings": ("a.yaml", b"{a: " * 200 + b"1" + b"}" * 200, "PE3103", 1, 257),
    "not UTF-8": ("a.yaml", b"a: 1\nb: gr\xfc\xdfe\n", "PE3102", 2, 6),
    "UTF-16": ("a.json", '{"a": 1}'.encode("utf-16"), "PE3102", 1, 1),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_its_place(name: str) -> None:
    file, data, code, line, column = BAD_FILES[name]
    problem = refusal(file, data)
    assert (problem.code, problem.line, problem.column) == (code, line, column), str(problem)
    assert problem.severity is Severity.ERROR
    assert "\n" not in problem.message
    assert problem.message[0].islower() or problem.message[0] in "`,"
    assert not problem.message.endswith(".")


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_never_stops_the_others(name: str) -> None:
    file, data, code, *_ = BAD_FILES[name]
    good = b"inventory: 1\nnodes:\n- {id: a, kind: System}\n"
    estate = load_estate({file: data, "good.yaml": good}, SCHEMA)
    assert [problem.code for problem in estate.problems] == [code]
    assert list(estate.snapshot.nodes) == ["a"]


def test_a_file_beyond_the_cap_is_not_read() -> None:
    problem = refusal("a.yaml", b"a: 1" + b" " * 100, Limits(max_bytes=100))
    assert problem.code == "PE3101"
    assert "104 bytes" in problem.message


def test_the_depth_that_is_read_can_be_set_but_not_beyond_what_is_safe() -> None:
    assert refusal("a.json", b"[[[1]]]", Limits(max_depth=2)).code == "PE3103"
    assert refusal("a.yaml", b"[[[1]]]", Limits(max_depth=2)).code == "PE3103"
    assert refusal("a.yaml", b"[" * 50_000 + b"]" * 50_000, Limits(max_depth=10**6)).code == "PE3103"


def test_yaml_is_read_by_the_core_schema_and_its_old_traps_are_text() -> None:
    [document] = read_yaml(
        "no: no\nyes: on\ntime: 12:30:45\nold_octal: 0777\noctal: 0o17\nhex: 0x1F\nzero: 0\nunderscore: 1_000\n"
        "version: 1.10\nquoted: '1.10'\nforced: !!str 7\nsmall: 1e-3\nnothing: ~\nempty:\ntruth: True\n"
        "date: 2027-02-01\nnegative: -5\nplus: +5\n",
        "a.yaml",
    )
    assert document.content == {
        "no": "no",
        "yes": "on",
        "time": "12:30:45",
        "old_octal": "0777",
        "octal": 15,
        "hex": 31,
        "zero": 0,
        "underscore": "1_000",
        "version": Decimal("1.10"),
        "quoted": "1.10",
        "forced": "7",
        "small": Decimal("0.001"),
        "nothing": None,
        "empty": None,
        "truth": True,
        "date": "2027-02-01",
        "negative": -5,
        "plus": 5,
    }
    assert str(document.content["version"]) == "1.10"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    for file, text in (("a.json", '{"a": 1}'), ("a.yaml", "a: 1\n"), ("a", '{"a": 1}')):
        [document] = read_documents(file, b"\xef\xbb\xbf" + text.encode(), Limits())
        assert document.content == {"a": 1}
        assert document.place("/a") in {(1, 7), (1, 4)}


def test_a_file_of_several_documents_gives_each_its_name_and_places() -> None:
    first, second = read_documents("a.yaml", b"---\na: 1\n---\n# nothing\n---\nb:\n- 2\n", Limits())
    assert (first.name, second.name, second.file) == ("a.yaml#1", "a.yaml#2", "a.yaml")
    assert second.place("/b/0") == (7, 3)
    assert first.sha256 == second.sha256


def test_what_begins_with_a_bracket_is_json_unless_its_name_says_yaml() -> None:
    assert read_documents("a.yml", b"{a: b}", Limits())[0].content == {"a": "b"}
    assert refusal("a", b"{a: b}").code == "PE3104"
    assert read_documents("a", b"a: b", Limits())[0].content == {"a": "b"}


@pytest.mark.parametrize("data", [b"hello: world", b"[1, 2]", b"just text", b"", b"# only a comment\n", b"--- \n---\n"])
def test_an_unknown_format_is_an_error_that_names_what_is_known(data: bytes) -> None:
    [problem] = load_estate({"a.yaml": data}, SCHEMA).problems
    assert (problem.code, problem.severity) == ("PE3111", Severity.ERROR)
    assert problem.help is not None
    assert "inventory: 1" in problem.help
    assert "CycloneDX" in problem.help


_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text() | st.just(""),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(_plain, st.sampled_from([None, 1]))
def test_both_json_readers_agree(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert read_json(text, "a.json") == scan_json(text, "a.json").content == value


def _pointers(value: object, pointer: str = "") -> list[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [pointer, f"{pointer}/0", f"{pointer}/none", f"{pointer}/x/y"]
    return found + [p for key, each in inner for p in _pointers(each, pointer + step(key))]


@given(_plain, st.sampled_from([None, 1]), st.sampled_from(["", " ", "\n\n"]))
def test_one_place_is_found_where_the_scanner_finds_it(value: object, indent: int | None, before: str) -> None:
    text = before + json.dumps(value, indent=indent) + before
    scanned = scan_json(text, "a.json")
    for pointer in _pointers(value):
        assert find_place(text, pointer) == scanned.place(pointer)


@given(st.text(alphabet='{}[]",:\\u0123456789eE.-+ntrfalsd \n\t\x01\ud7ff', max_size=40))
def test_both_json_readers_refuse_the_same(text: str) -> None:
    def outcome(read: object) -> object:
        try:
            return repr(read())  # type: ignore[operator]
        except LineageError as error:
            return error.problem.code

    scanned = outcome(lambda: scan_json(text, "a.json").content)
    assert outcome(lambda: read_json(text, "a.json")) == scanned


@given(st.binary(max_size=80))
def test_no_bytes_make_reading_fail_otherwise(data: bytes) -> None:
    for file in ("a.json", "a.yaml", "a"):
        load_estate({file: data}, SCHEMA)


@given(_plain)
def test_no_value_in_any_place_makes_reading_fail_otherwise(value: object) -> None:
    for document in (
        {"inventory": value},
        {"inventory": 1, "nodes": value, "asserted_at": value, "organisation": value},
        {"inventory": 1, "nodes": [value, {"id": value, "kind": "System"}, {"id": "a", "kind": value}]},
        {
            "inventory": 1,
            "nodes": [{"id": "a", "kind": "System", "aliases": value, "uses_model": value, "users": value}],
        },
    ):
        load_estate({"a.json": json.dumps(document).encode()}, SCHEMA)


def test_a_place_reads_as_a_person_says_it() -> None:
    assert readable("") == ""
    assert readable("/nodes/0/x~1y/a~0b") == 'nodes[0]["x/y"]["a~b"]'
    assert str(Problem("PE3121", Severity.ERROR, "wrong", "a.json")) == "a.json: error[PE3121]: wrong"


def test_a_problem_is_one_printable_line_whatever_it_quotes() -> None:
    estate = load_estate({"a\n.json": b'{"inventory": 1, "nodes": [], "x\\n\\u202e": 1}'}, SCHEMA)
    [problem] = estate.problems
    assert problem.message.isprintable()
    assert str(problem).isprintable()
    assert problem.pointer == "/x\n\u202e"
    long = Problem("PE3121", Severity.ERROR, "x" * 10_000, "a")
    assert len(str(long)) < 2_000


def test_two_documents_never_share_a_name() -> None:
    files = {
        "a.yaml": b"inventory: 1\nnodes: []\n---\ninventory: 1\nnodes: []\n",
        "a.yaml#1": b"inventory: 1\nnodes: []",
    }
    estate = load_estate(files, SCHEMA)
    assert [(problem.code, problem.file) for problem in estate.problems] == [("PE3150", "a.yaml#1")]
    assert len(estate.snapshot.sources) == 2
