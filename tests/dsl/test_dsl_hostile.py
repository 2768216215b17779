"""Hostile texts give diagnostics, in a few seconds, and never an exception."""

import random
from time import process_time

import pytest

from policy_dsl import compile_bytes
from policy_dsl.diagnostics import Diagnostic, Severity, render_text

HEAD = "policy p\nnode Thing { flag: Boolean count: Integer }\n"
MEGABYTE = 1_000_000
# A generous bound for a slow and busy machine: what is wrong here takes minutes or for ever.
SECONDS = 20


def rule(condition: str) -> str:
    return f"{HEAD}rule r for each Thing must {condition}\n"


def compiled(text: str | bytes) -> tuple[Diagnostic, ...]:
    data = text.encode() if isinstance(text, str) else text
    start = process_time()
    program, found = compile_bytes({"a.policy": data})
    for diagnostic in found[:20]:
        shown = render_text(diagnostic, program.files)
        assert all(c.isprintable() or c == "\n" for c in shown)
        assert len(shown) < 2_000
    assert process_time() - start < SECONDS
    return found


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param(rule("(" * MEGABYTE), {"PE1010"}, id="a megabyte of opening brackets"),
        pytest.param(rule(")" * 200_000), {"PE1003"}, id="closing brackets"),
        pytest.param("({" * 50_000, {"PE1003", "PE1004"}, id="brackets without anything"),
        pytest.param(rule("(" * 100_000 + "thing.flag" + ")" * 100_000), {"PE1010"}, id="brackets that close"),
        pytest.param(rule("not " * 10_000 + "thing.flag"), {"PE1010"}, id="ten thousand times not"),
        pytest.param(rule("-" * 10_000 + "1 > 2"), {"PE1010"}, id="ten thousand times minus"),
        pytest.param(rule("+".join("1" * 10_000) + " > 2"), {"PE1010"}, id="ten thousand times plus"),
        pytest.param(rule("f(" * 10_000), {"PE1010"}, id="calls in calls"),
        pytest.param(rule("x" * MEGABYTE), {"PE2004"}, id="a name of a megabyte"),
        pytest.param(
            rule('thing.flag otherwise "' + "x" * MEGABYTE), {"PE1002"}, id="a text of a megabyte, not closed"
        ),
        pytest.param(rule('thing.flag otherwise "' + "{" * 100_000 + '"'), {"PE1008"}, id="braces in a text"),
        pytest.param(rule("9" * MEGABYTE + " > 2"), {"PE1007"}, id="a number of a megabyte"),
        pytest.param(bytes(range(1, 32)) * 3_000, {"PE1001", "PE1004", "PE1011"}, id="control characters"),
        pytest.param(b"\0" * 100_000, {"PE1001", "PE1004"}, id="only NUL"),
        pytest.param("policy p\n\0node T\n", {"PE1001"}, id="a NUL before a declaration"),
        pytest.param(b"\xff\xfe\x00" * 10_000, {"PE1001", "PE1004", "PE1009"}, id="no UTF-8 at all"),
        pytest.param(b'"' * 99_999, {"PE1002", "PE1004", "PE1003"}, id="only quotes"),
        pytest.param('policy p\n"' + '\n"' * 50_000, {"PE1002", "PE1003"}, id="a quote on every line"),
        pytest.param("policy p\n# " + "\u202e" * 50_000, {"PE1011"}, id="a comment of nothing but marks of direction"),
        pytest.param("", {"PE1004"}, id="nothing"),
        pytest.param(" \t\n" * 50_000, {"PE1004"}, id="only blanks"),
        pytest.param("# x\n" * 50_000, {"PE1004"}, id="only comments"),
        pytest.param(b"\xef\xbb\xbf", {"PE1004"}, id="only a byte order mark"),
        pytest.param("must not " * 20_000, {"PE1003", "PE1004"}, id="only keywords"),
        pytest.param("foo\n" * 20_000, {"PE1003", "PE1004"}, id="only names"),
        pytest.param(
            f"{HEAD}rule r\n" + '    cites "a"\n    cites\n' * 20_000, {"PE1003"}, id="a mistake in every other clause"
        ),
        pytest.param("policy p\n" + "".join(f"use q{i}\n" for i in range(5_000)), {"PE2002"}, id="five thousand uses"),
        pytest.param(rule("thing.flag") * 300, {"PE1006", "PE2001"}, id="a file written many times over"),
    ],
)
def test_hostile_texts_are_reported(text, codes):
    assert {d.code for d in compiled(text)} == codes


def test_many_things_misspelt_are_all_reported():
    names = [f"attribute_{i}" for i in range(1_000)]
    rules = "".join(f"rule r{i} for each T must t.atribute_{i}\n" for i in range(1_000))
    found = compiled(f"policy p\nnode T {{ {' '.join(f'{n}: Boolean' for n in names)} }}\n{rules}")
    assert len(found) == 1_000
    assert {d.code for d in found} == {"PE2006"}


def test_two_long_names_that_are_alike_are_not_compared():
    letters = random.Random(1)
    name = "".join(letters.choice("abcdefgh") for _ in range(200_000))
    (found,) = compiled(f"policy p\nnode T {{ {name}: Boolean }}\nrule r for each T must t.{name[:-1]}z\n")
    assert (found.code, found.help) == ("PE2006", None)


def test_as_deep_as_is_allowed_compiles():
    assert compiled(rule("(" * 49 + "thing.flag" + ")" * 49)) == ()
    assert compiled(rule("not " * 150 + "thing.flag")) == ()
    quantifiers = "".join(f"some Thing as t{i} satisfies " for i in range(49))
    assert compiled(rule(f"{quantifiers}thing.flag")) == ()


def test_intervals_in_intervals_do_not_take_exponential_time():
    found = compiled(rule("(" * 60 + "1" + " between 1 and 2)" * 60))
    assert {d.code for d in found} == {"PE2102"}


def chain_of_definitions(length: int, *, uses_first: bool) -> str:
    steps = [f"define d{i}(t: Thing) as not d{i + 1}(t)\n" for i in range(length)]
    last = f"define d{length}(t: Thing) as t.flag\n"
    return HEAD + "".join([*steps, last] if uses_first else [last, *reversed(steps)])


@pytest.mark.parametrize("uses_first", [True, False])
def test_definitions_that_use_each_other_are_bounded_whatever_their_order(uses_first):
    assert compiled(chain_of_definitions(40, uses_first=uses_first)) == ()
    found = compiled(chain_of_definitions(2_000, uses_first=uses_first))
    assert [d.code for d in found] == ["PE1010"]


def test_a_long_circle_of_definitions_is_reported_once_in_one_line():
    steps = [f"define d{i}(t: Thing) as d{(i + 1) % 2_000}(t)\n" for i in range(2_000)]
    (found,) = compiled(HEAD + "".join(steps))
    assert found.code == "PE2010"
    assert len(found.message) < 300


def test_a_long_line_of_kinds_compiles_whatever_their_order():
    kinds = [f"node K{i} is K{i - 1}\n" for i in range(1, 1_500)]
    assert compiled("".join(["policy p\nnode K0 { a: Boolean }\n", *kinds])) == ()
    assert compiled("".join(["policy p\n", *reversed(kinds), "node K0 { a: Boolean }\n"])) == ()


def test_a_circle_of_kinds_is_reported_once():
    kinds = [f"node K{i} is K{(i + 1) % 1_500}\n" for i in range(1_500)]
    assert [d.code for d in compiled("policy p\n" + "".join(kinds))] == ["PE2010"]


def test_line_ends_may_be_mixed():
    assert compiled("policy p\r\nnode T { a: Boolean }\nrule r\r\n    for each T\n    must t.a\r\n") == ()


def test_a_line_end_that_hides_nothing():
    found = compiled("policy p # a\rrule hidden for each T must false\nnode T\n")
    assert [d.code for d in found] == ["PE1011", "PE1003"]
    assert [d.severity for d in found] == [Severity.WARNING, Severity.ERROR]


@pytest.mark.parametrize(
    "mark", ["\u202e", "\u2066", "\u200b", "\u200d", "\u2060", "\ufeff", "\u2028", "\u0085", "\u00ad"]
)
def test_what_cannot_be_seen_is_reported_wherever_it_stands(mark):
    found = compiled(f'policy p\n    title "a{mark}b"\nnode T # {mark}\n')
    assert [d.code for d in found] == ["PE1011", "PE1011"]
    assert f"U+{ord(mark):04X}" in found[0].message


def test_a_byte_order_mark_does_not_move_columns():
    (found,) = compiled(b"\xef\xbb\xbfpolicy 3\n")
    assert (found.code, found.span.start) == ("PE1003", 7)
