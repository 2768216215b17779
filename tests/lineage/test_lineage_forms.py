"""JSON lines and Markdown are read as strictly as JSON and YAML, and their parts have places."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_engine.lineage.documents import Document, Form, Limits, read_documents
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.load import load_estate
from policy_engine.model.problems import Problem, Severity
from tests.lineage.estate_schema import SCHEMA

CARDS = Path(__file__).parents[2] / ".." / "shared" / "samples" / "hf_cards"


def only(file: str, data: bytes) -> Document:
    [document] = read_documents(file, data, Limits())
    return document


def refusal(file: str, data: bytes, limits: Limits | None = None) -> Problem:
    with pytest.raises(LineageError) as caught:
        read_documents(file, data, limits or Limits())
    return caught.value.problem


BAD_FILES = {
    "lines: NaN": ("a.jsonl", b'{"a": 1}\n\n{"a": NaN}\n', "PE3106", 3, 7),
    "lines: 1e400": ("a.jsonl", b'{"a": 1}\n{"a": {"b": 1e400}}', "PE3106", 2, 13),
    "lines: a key twice": ("a.json", b'{"a": 1}\n{"a": 1, "a": 2}', "PE3105", 2, 10),
    "lines: a line that breaks off": ("a.ndjson", b'{"a": 1}\n{"a": 2}\n{"a"', "PE3104", 3, 5),
    "lines: not UTF-8": ("a.jsonl", b'{"a": 1}\n{"a": "\xe9"}\n', "PE3102", 2, 8),
    "lines: NUL between": ("a.jsonl", b'{"a": 1}\n\0\0\0\n{"a": 1}\n', "PE3162", 2, 1),
    "lines: depth bomb": ("a.jsonl", b'{"a": 1}\n' + b'{"a":' * 500, "PE3103", 2, 316),
    "lines: two on one line": ("a.jsonl", b'{"a": 1} {"a": 2}\n', "PE3104", 1, 10),
    "lines: half a surrogate pair": ("a.jsonl", b'{"a": 1}\n{"a": "\\ud800"}', "PE3109", 2, 7),
    "json over lines, twice": ("a.json", b'{\n"a": 1}\n{\n"a": 1}', "PE3104", 3, 1),
    "front matter: list": ("a.md", b"---\n[]\n---\ntext\n", "PE3161", 2, 1),
    "front matter: text": ("a.md", b"---\njust text\n---\n", "PE3161", 2, 1),
    "front matter: two documents": ("a.md", b"---\na: 1\n--- {b: 1}\n---\n", "PE3161", 2, 1),
    "front matter: no end": ("a.md", b"\n---\nlicense: mit\n# text\n", "PE3161", 2, 1),
    "front matter: key twice": ("a.md", b"---\r\na: 1\r\na: 2\r\n---\r\n", "PE3105", 3, 1),
    "front matter: alias bomb": ("a.md", b"---\na: &a [x]\nb: [*a, *a]\n---\n", "PE3107", 3, 5),
    "front matter: code tag": ("a.md", b"---\na: !!python/name:os.system x\n---\n", "PE3108", 2, 4),
    "front matter: not YAML": ("a.md", b"---\na: [1\nb: 2\n---\n", "PE3104", 3, 2),
    "front matter: template": ("a.md", b"---\n# card\n{{ card_data }}\n---\n", "PE3110", 3, 2),
    "front matter: depth bomb": ("a.md", b"---\na: " + b"[" * 5_000 + b"\n---\n", "PE3103", 2, 67),
    "markdown: NUL": ("a.md", b"# Text\n\nmore \0 text", "PE3162", 3, 6),
    "markdown: UTF-16": ("a.md", "# Text".encode("utf-16"), "PE3102", 1, 1),
    "yaml: NUL": ("a.yaml", b"a: 1\nb: \0\n", "PE3162", 2, 4),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_its_place(name: str) -> None:
    file, data, code, line, column = BAD_FILES[name]
    problem = refusal(file, data)
    assert (problem.code, problem.line, problem.column) == (code, line, column), str(problem)
    assert "\n" not in problem.message
    assert not problem.message.endswith(".")


def test_a_bad_line_names_the_value_by_its_pointer() -> None:
    assert refusal("a.jsonl", b'{"a": 1}\n\n{"b": {"c": NaN}}').pointer == "/1/b/c"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.log"])
def test_json_lines_are_one_list_with_places(name: str, end: str) -> None:
    text = end.join(['{"a": 1}', "", '{"b": {"c": [2]}}', "  ", ' {"d": 3}', ""])
    document = only(name, b"\xef\xbb\xbf" + text.encode())
    assert (document.form, document.content) == (Form.JSON_LINES, [{"a": 1}, {"b": {"c": [2]}}, {"d": 3}])
    assert document.place("/1/b/c/0") == (3, 14)
    assert document.place("/2") == (5, 2)
    assert document.line(document.content, 2) == 5
    for nowhere in ("", "/3", "/x", "/1/z", "/-1", "/9999999999999999999999"):
        assert document.place(nowhere) is None


def test_one_line_is_json_unless_the_name_says_lines() -> None:
    assert only("a.json", b'{"a": 1}\n').content == {"a": 1}
    assert only("a.jsonl", b'{"a": 1}\n').content == [{"a": 1}]
    assert only("a.json", b"[1]\n").form is Form.JSON
    assert only("a.jsonl", b"").content == []
    assert only("a.jsonld", b'{"@graph": []}').form is Form.JSON


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers(-9, 9)), min_size=2))
def test_what_is_written_as_lines_is_read_back(values: list[dict[str, object]]) -> None:
    text = "\n".join(json.dumps(value, ensure_ascii=index % 2 == 0) for index, value in enumerate(values))
    if "\\ud" not in text and "\0" not in text and "\\u0000" not in text:
        assert only("a.jsonl", text.encode("utf-8", "surrogatepass")).content == values


def test_front_matter_has_the_places_of_the_file() -> None:
    for start, end, lines in (("", "\n", 0), ("\n \n", "\n", 2), ("", "\r\n", 0)):
        text = start + end.join(["---", "license: mit", "tags:", "- a", "- b: 1", "---", "# Body", ""])
        document = only("README.md", text.encode())
        assert (document.form, document.content) == (
            Form.MARKDOWN,
            {"license": "mit", "tags": ["a", {"b": 1}]},
        )
        assert document.place("/license") == (lines + 2, 10)
        assert document.place("/tags/1/b") == (lines + 5, 6)
        assert document.body == f"# Body{end}"


@pytest.mark.parametrize(
    "text",
    ["# No front matter", "", "text\n---\nlicense: mit\n---\n", "----\nx\n---\n", "---\n---\nbody", "---\n# note\n---"],
)
def test_markdown_without_front_matter_has_no_content(text: str) -> None:
    document = only("card.markdown", text.encode())
    assert (document.form, document.content) == (Form.MARKDOWN, None)


def test_hyphens_inside_the_front_matter_do_not_end_it() -> None:
    document = only("a.md", b"---\na: x --- y\nb: |\n  ---\n----: 1\n---\nbody")
    assert document.content == {"a": "x --- y", "b": "---\n", "----": 1}
    assert document.body == "body"


@pytest.mark.parametrize("name", ["a.md", "a.jsonl"])
def test_the_cap_of_bytes_holds_for_every_form(name: str) -> None:
    assert refusal(name, b"x" * 101, Limits(max_bytes=100)).code == "PE3101"


def test_a_long_file_is_read_in_time_that_grows_with_its_length() -> None:
    started = time.process_time()
    only("a.jsonl", b'{"a": [1, 2.5, "x"]}\n' * 100_000)
    with pytest.raises(LineageError):
        only("a.md", b"---\n" + b"\n\n" * 500_000)
    only("a.md", b" \n" * 500_000)
    assert time.process_time() - started < 10


@given(st.binary(max_size=80), st.sampled_from(["a.md", "a.jsonl", "a.json"]))
def test_no_bytes_make_reading_fail_otherwise(data: bytes, file: str) -> None:
    load_estate({file: data}, SCHEMA)
    load_estate({file: b"---\n" + data + b"\n---\n"}, SCHEMA)
    load_estate({file: b'{"a": 1}\n' + data}, SCHEMA)


@pytest.mark.skipif(not CARDS.is_dir(), reason="the shared samples are not beside this checkout")
def test_the_sample_cards_are_read_or_refused_at_their_place() -> None:
    read, refused = {}, {}
    for path in sorted(CARDS.glob("*.md")):
        try:
            content = only(path.name, path.read_bytes()).content
            read[path.name] = len(content) if isinstance(content, dict) else 0
        except LineageError as error:
            refused[path.name] = (error.problem.code, error.problem.line)
    assert read == {
        "README.md": 0,
        "tests__fixtures__cards__sample_datasetcard_simple.md": 9,
        "tests__fixtures__cards__sample_no_metadata.md": 0,
        "tests__fixtures__cards__sample_simple_model_index.md": 7,
        "tests__fixtures__cards__sample_windows_line_breaks.md": 4,
    }
    assert refused == {
        "src__huggingface_hub__templates__datasetcard_template.md": ("PE3110", 4),
        "tests__fixtures__cards__sample_invalid_card_data.md": ("PE3161", 2),
    }


def test_a_key_that_stands_twice_refuses_our_own_inventory_and_is_told_of_others() -> None:
    own = b'{"inventory": 1, "nodes": [{"id": "a", "kind": "System", "users": 1,\n "users": 2}]}'
    estate = load_estate({"a.json": own}, SCHEMA)
    assert [(p.code, p.severity, p.line, p.column) for p in estate.problems] == [("PE3105", Severity.ERROR, 2, 2)]
    assert not estate.snapshot.nodes
    head = b'{"bomFormat": "CycloneDX", "specVersion": "1.6", '
    bom = head + b'"components":\n [{"name": "x"}], "components": [{"name": 7}, 7]}'
    estate = load_estate({"a.json": bom}, SCHEMA)
    assert {(p.code, p.severity, p.line) for p in estate.problems} == {
        ("PE3105", Severity.WARNING, 2), ("PE3121", Severity.WARNING, 2), ("PE3120", Severity.WARNING, 2),
    }  # fmt: skip
    assert not estate.snapshot.nodes  # of the two the last counts
    assert load_estate({"a.json": bom}, SCHEMA, strict=True).has_errors


@pytest.mark.parametrize("data", [b'{"a": 1, "a": 2}', b'[{"a": 1, "a": 2}]'])
def test_a_key_that_stands_twice_in_what_is_no_format_is_the_only_problem(data: bytes) -> None:
    [problem] = load_estate({"a.json": data}, SCHEMA).problems
    assert (problem.code, problem.severity) == ("PE3105", Severity.ERROR)
