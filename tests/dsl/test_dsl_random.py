"""Whatever is read, and however it is damaged, compiling ends with diagnostics and never with an exception."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_dsl import compile_bytes, compile_packs
from policy_dsl.codes import CODES
from policy_dsl.diagnostics import render_text
from policy_dsl.source import SourceFile
from policy_dsl.syntax.lark_parser import keywords

QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LIBRARY = sorted((Path(__file__).parents[2] / "policies" / "library").rglob("*.policy"))
STANDARD = next(p for p in LIBRARY if p.name == "core.policy").read_text(encoding="utf-8")
SAMPLE = next(p for p in LIBRARY if p.name == "data_governance.policy").read_text(encoding="utf-8")

WORDS = [
    *sorted(keywords().values()),
    *[
        "T",
        "t",
        "a",
        "b",
        "p",
        "x.y",
        "t.a",
        "t.n",
        "days",
        "EUR",
        "<a>",
        "<",
        "<=",
        ">",
        ">=",
        "=",
        "+",
        "-",
        "*",
        "/",
    ],
    *["(", ")", "{", "}", ":", ",", ".", "1", "0", "2.5", "80%", "2026-01-01", "2026-13-01", "2026-01-01T10:00Z"],
    *['"x"', '"{t.a}"', '"', "# c\n", "\n", "\n    ", "\r", "\0", "é", "\u202e", "§"],
]
HEAD = "policy p\nnode T { a: Boolean n: Integer }\nedge e from T to T reverse f lineage\nevidence v\nrole q\n"


def check(*texts: str) -> None:
    sources = [SourceFile(f"{number}.policy", text) for number, text in enumerate(texts)]
    program, found = compile_packs(sources)
    assert list(found) == sorted(found, key=lambda d: (d.span.file, d.span.start))
    for diagnostic in found:
        text = program.files[diagnostic.span.file].text
        assert diagnostic.code in CODES
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= max(1, len(text))
        assert render_text(diagnostic, program.files)


@QUICK
@given(data=st.binary(max_size=200))
def test_random_bytes(data):
    compile_bytes({"a.policy": data, "b.policy": b"policy p\n" + data})


@QUICK
@given(text=st.text(max_size=200))
def test_random_text(text):
    check(text, HEAD + text)


@settings(QUICK, max_examples=250)
@given(words=st.lists(st.sampled_from(WORDS), max_size=40))
def test_random_words(words):
    soup = " ".join(words)
    check(HEAD + soup, f"{HEAD}rule r for each T must {soup}", f'{HEAD}test "t" at 2026-01-01 {soup}')


@settings(QUICK, max_examples=40)
@given(data=st.data())
def test_damaged_packs(data):
    start = data.draw(st.integers(0, len(SAMPLE)))
    end = data.draw(st.integers(start, min(len(SAMPLE), start + 60)))
    check(STANDARD, SAMPLE[:start] + data.draw(st.sampled_from(["", " ", "\n", *WORDS])) + SAMPLE[end:])


@settings(QUICK, max_examples=40)
@given(data=st.data())
def test_damaged_schemas(data):
    start = data.draw(st.integers(0, len(STANDARD)))
    end = data.draw(st.integers(start, min(len(STANDARD), start + 60)))
    check(STANDARD[:start] + data.draw(st.sampled_from(["", " ", "\n", *WORDS])) + STANDARD[end:], SAMPLE)


@QUICK
@given(name=st.text(max_size=20), value=st.one_of(st.text(max_size=40), st.sampled_from(WORDS)))
def test_random_overrides(name, value):
    pack = SourceFile("a.policy", 'policy p\nparameter n: Integer = 1\nparameter t: Text = "x"\n')
    _, found = compile_packs([pack], {"p.n": value, "p.t": value, name: value})
    assert all(d.message.isprintable() for d in found)
