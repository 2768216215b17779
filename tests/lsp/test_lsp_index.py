"""What each name means, shown on the whole library: nothing is forgotten, and nothing means two things."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from policy_dsl.diagnostics import Severity
from policy_dsl.lsp.analysis import Analyses, Analysis
from policy_dsl.lsp.documents import Documents
from policy_dsl.lsp.hover import hover
from policy_dsl.lsp.rename import RenameError, apply, rename
from policy_dsl.syntax.lark_parser import tokens
from policy_dsl.typed.expressions import EVERY_EVIDENCE
from policy_dsl.typed.references import Sort
from policy_dsl.typed.types import Simple
from policy_dsl.words import RESULTS
from tests.lsp.lsp_texts import LIBRARY, STANDARD

FIXED_WORDS = {"severity", "basis", "expect", "except"}
SIMPLE_TYPES = {t.value for t in Simple}
FORMS = """\
policy forms
    version "1.2"
use std.ai version "1.0"

extend node System { robots: Integer }
extend enum Stage { scrapped }

rule ranges "New forms"
    for each System where system.stage is not scrapped and system.robots > 0
    may count of Model in system.uses_model/finetuned_from* > 2 only if
        sum of model.energy_kwh over Model in system.uses_model where model.stage is production < 10
        and every Model in system.uses_model satisfies
            accuracy of latest evidence accuracy_evaluation on model signed by model_owner > 0.5

test "cases 😀"
    at <day>
    given
        System s { stage: <stage>, robots: 3 }
    expect <result> of ranges on s
    cases
        day         stage       result
        2028-01-01  scrapped    not_applicable
        2028-01-01  production  unknown
"""


# One pack with lineage, dates and definitions of others, one with tables and parameters.
FEW = ("std", "eu_ai_act/common", "eu_ai_act/data_governance", "ai_operations/common", "ai_operations/monitoring")


def analysed(paths: Iterable[Path]) -> Analysis:
    documents = Documents({})
    for path in paths:
        documents.put(path.as_uri(), path.read_text("utf-8"))
    analysis = Analyses(documents).of((LIBRARY / "std" / "core.policy").as_uri())
    assert analysis is not None
    return analysis


@cache
def library() -> Analysis:
    return analysed(sorted(LIBRARY.rglob("*.policy")))


@cache
def few_packs() -> Analysis:
    found = (p for p in sorted(LIBRARY.rglob("*.policy")) if p.relative_to(LIBRARY).as_posix().startswith(FEW))
    analysis = analysed(found)
    assert not [d for d in analysis.diagnostics if d.severity is Severity.ERROR]
    return analysis


def test_every_name_of_the_library_means_something() -> None:
    index = library().index
    for file in library().files:
        before = ""
        for token in tokens(file.source.policy_text):
            is_unit = before.replace(".", "").isdigit()
            is_fixed = before in FIXED_WORDS or token in SIMPLE_TYPES or token in RESULTS or is_unit
            if token.type == "NAME" and not is_fixed:
                assert index.at(file.source.name, (token.start_pos or 0) + 1), token
            before = str(token)


def test_every_place_holds_the_name_it_stands_for_and_every_use_is_declared() -> None:
    index = library().index
    for use in library().symbols.references.uses():
        is_built_in = use.meaning.sort is Sort.FIELD and use.meaning.name in EVERY_EVIDENCE
        assert is_built_in or index.declaration(index.declaring(use.meaning)) is not None, use
    for meaning in index.declarations:
        assert {index.text(span) for span in index.places(meaning)} <= {meaning.name}


def test_every_sort_of_name_can_be_renamed() -> None:
    """One of each sort; a rename that changed the meaning of anything would be refused."""
    documents = Documents({})
    for file in few_packs().files:
        documents.put(file.source.name, file.source.text)
    done: set[Sort] = set()
    for meaning, declaration in few_packs().index.declarations.items():
        if meaning.sort in done or few_packs().index.is_implied(meaning):
            continue
        done.add(meaning.sort)
        new = "Zz9.zz9" if meaning.sort is Sort.PACK else "Zz9"
        changes = rename(few_packs(), documents, declaration.name.file, declaration.name.start + 1, new)
        assert {few_packs().index.text(c.span) for c in changes if c.text == new} == {meaning.name}
    assert done == set(Sort)


TABLE = """\
policy t
node N { personal: Boolean }
enum Words { personal, other }
evidence paper on N { held: Boolean }
rule r for each N must n.personal and n has evidence paper where held
test "table"
    at <day>
    given
        N one { personal: <personal> }
        evidence paper on one issued <day> expires <end> { held: <personal> }
    expect <result> of r on one
    cases
        day         end         personal  result
        2028-01-01  2028-02-01  true      pass
test "other"
    at <day>
    given
        N one
    expect unknown of r on one
    cases
        day
        2028-01-01
"""


@pytest.mark.parametrize(("column", "times"), [("day", 3), ("end", 2), ("personal", 3), ("result", 2)])
def test_a_column_of_a_table_is_the_same_wherever_its_test_names_it(column: str, times: int) -> None:
    documents = Documents({})
    documents.put("file:///t.policy", TABLE)
    analysis = Analyses(documents).of("file:///t.policy")
    assert analysis is not None and analysis.diagnostics == ()
    start = TABLE.index(column, TABLE.index("cases\n"))
    changes = rename(analysis, documents, "file:///t.policy", start + 1, "zz")
    assert len(changes) == times
    after = apply({"file:///t.policy": TABLE}, changes)["file:///t.policy"]
    own, other = TABLE.split('test "other"')
    head, columns = own.split("cases\n")
    expected = head.replace(f"<{column}>", "<zz>") + "cases\n" + columns.replace(column, "zz", 1)
    assert after == f'{expected}test "other"{other}'
    found = hover(analysis.index, "file:///t.policy", TABLE.index(f"<{column}>") + 2)
    assert found is not None and "Column of the table" in found[1]


def test_the_newest_forms_are_known() -> None:
    documents = Documents(STANDARD)
    documents.put("file:///f.policy", FORMS)
    analysis = Analyses(documents).of("file:///f.policy")
    assert analysis is not None
    assert analysis.diagnostics == ()
    known = {
        "robots": 3,
        "scrapped": 3,
        "finetuned_from": 1,
        "energy_kwh": 1,
        "model_owner": 1,
        "accuracy_evaluation": 1,
    }
    for word, times in known.items():
        at = [i for i in range(len(FORMS)) if FORMS.startswith(word, i)]
        assert len(at) == times
        for offset in at:
            assert analysis.index.at("file:///f.policy", offset + 1), (word, offset)
    found = analysis.index.at("file:///f.policy", FORMS.index("scrapped }"))
    assert [u.meaning.sort for u in found] == [Sort.MEMBER]
    assert len(analysis.index.places(found[0].meaning)) == 3


@pytest.mark.parametrize("escape", ["", '\\"', "\\\\ \\n 😀"])
def test_a_placeholder_after_escapes_is_renamed_where_it_stands(escape: str) -> None:
    said = f"{escape}{{n.a}} and {escape} {{n}}"
    text = f'policy x\nnode N {{ a: Boolean }}\nrule r for each N must n.a otherwise "{said}"\n'
    documents = Documents({})
    documents.put("file:///x.policy", text)
    analysis = Analyses(documents).of("file:///x.policy")
    assert analysis is not None
    offset = text.index("a: Boolean")
    changes = rename(analysis, documents, "file:///x.policy", offset, "agreed")
    after = apply({"file:///x.policy": text}, changes)["file:///x.policy"]
    assert after == text.replace("a: Bool", "agreed: Bool").replace("n.a", "n.agreed")


def test_a_rename_that_would_capture_another_name_is_refused() -> None:
    text = (
        "policy x\nnode N { on: Boolean }\nparameter limit: Boolean = true\n"
        "define d(n: N) as n.on and limit\nrule r for each N must d(n)\n"
    )
    documents = Documents({})
    documents.put("file:///x.policy", text)
    analysis = Analyses(documents).of("file:///x.policy")
    assert analysis is not None
    with pytest.raises(RenameError):
        rename(analysis, documents, "file:///x.policy", text.index("limit:"), "n")
    assert Path("/x.policy").as_uri() in analysis.sources
