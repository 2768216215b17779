"""Names: what a kind binds, and keywords where the grammar asks for a name."""

import pytest

from policy_dsl import compile_packs
from policy_dsl.source import SourceFile
from policy_dsl.syntax.lark_parser import keywords
from policy_dsl.typed.quantifiers import variable_name


def messages(text: str) -> list[str]:
    _, found = compile_packs([SourceFile("a.policy", text)])
    return [d.message for d in found]


@pytest.mark.parametrize(
    ("kind", "variable"),
    [
        ("System", "system"),
        ("LogStore", "log_store"),
        ("MCPServer", "mcp_server"),
        ("AISystem", "ai_system"),
        ("URL", "url"),
        ("T", "t"),
        ("Model2", "model2"),
        ("thing", "thing"),
        ("OrgUnitÉtat", "org_unit_état"),
    ],
)
def test_a_kind_binds_its_name_in_small_letters(kind, variable):
    assert variable_name(kind) == variable
    assert messages(f"policy p\nnode {kind} {{ a: Boolean }}\nrule r for each {kind} must {variable}.a\n") == []


@pytest.mark.parametrize("word", sorted(keywords().values()))
def test_every_keyword_can_name_an_attribute(word):
    assert messages(f"policy p\nnode T {{ {word}: Boolean }}\nrule r for each T must t.{word}\n") == []


@pytest.mark.parametrize("word", sorted(keywords().values()))
def test_every_keyword_can_name_a_kind_an_edge_and_a_rule(word):
    schema = f"policy p\nnode {word}\nedge {word} from {word} to {word}\n"
    text = f"{schema}rule {word} for each {word} as x must no {word} as y in x.{word}\n"
    assert messages(text) == []


# These begin a condition of another form, so as variables they can only be renamed with `as`.
OPENERS = {
    "not",
    "if",
    "true",
    "false",
    "now",
    "today",
    "every",
    "some",
    "no",
    "at",
    "exactly",
    "count",
    "sum",
    "min",
    "max",
    "average",
}


@pytest.mark.parametrize("word", sorted(set(keywords().values()) - OPENERS))
def test_a_keyword_that_opens_no_condition_can_name_a_variable(word):
    assert messages(f"policy p\nnode T {{ a: Boolean }}\nrule r for each T as {word} must {word}.a\n") == []


@pytest.mark.parametrize("word", sorted(OPENERS))
def test_a_keyword_that_opens_a_condition_is_reported_when_it_names_a_variable(word):
    assert messages(f"policy p\nnode T {{ a: Boolean }}\nrule r for each T as {word} must {word}.a\n") != []


@pytest.mark.parametrize("unit", ["day", "days", "months", "years", "hours", "minutes", "weeks", "EUR"])
def test_units_and_currencies_are_names_too(unit):
    assert (
        messages(f"policy p\nnode T {{ {unit}: Integer }}\nrule r for each T as {unit} must {unit}.{unit} > 3\n") == []
    )


def test_a_word_is_one_of_an_enumeration_only_where_one_is_expected():
    text = "policy p\nenum E {{ live }}\nnode T {{ e: E live: Boolean }}\nrule r for each T must {}\n"
    assert messages(text.format("t.e is live")) == []
    assert messages(text.format("t.e in {live}")) == []
    assert messages(text.format("live")) == ["nothing here is named `live`"]


def test_a_parameter_comes_before_a_word_of_an_enumeration():
    text = (
        "policy p\nenum E { live }\nnode T { e: E }\nparameter live: Integer = 1\nrule r for each T must t.e is live\n"
    )
    assert messages(text) == ["a E and a Integer cannot be compared"]
