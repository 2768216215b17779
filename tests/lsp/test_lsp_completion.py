"""What is offered at a place: names that the schema has there, and words that the grammar goes on with."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_dsl.lsp.analysis import Analyses
from policy_dsl.lsp.completion import complete
from policy_dsl.lsp.documents import Documents, uri_of
from tests.lsp.lsp_client import Editor, edited, place_of
from tests.lsp.lsp_texts import COMMON, RULES, STANDARD, workspace

URI = "file:///w/rules.policy"


def offered(text: str, uri: str = URI) -> list[str]:
    """Return the labels at the ``|`` of a text, which is taken out."""
    before, bar, after = text.partition("|")
    assert bar
    documents = Documents(STANDARD)
    documents.put("file:///w/common.policy", COMMON)
    documents.put(uri, before + after)
    analysis = Analyses(documents).of(uri)
    assert analysis is not None
    packs = [name for name, _ in documents.declaring()]
    return [p.label for p in complete(analysis, packs, uri, len(before))[1]]


HEAD = "policy x\nuse bank.common\nuse std.ai\n\nrule r\n    for each System where "


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        (f"{HEAD}system.|", {"stage", "name", "annex_iii"}, {"task", "uses_model", "and"}),
        (f"{HEAD}system.st| is production\n    must true", {"stage", "name"}, {"task"}),
        (f"{HEAD}|", {"system", "max_age", "live", "not", "every", "count of"}, {"System", "stage", "must", "cites"}),
        (f"{HEAD}system.stage is |", {"production", "known", "unknown", "not"}, {"system", "provider", "and"}),
        (f"{HEAD}system.stage is not |", {"production", "known"}, {"system", "provider"}),
        (f"{HEAD}system.stage in {{staging, |", {"production"}, {"system", "provider"}),
        (f"{HEAD}system.role in {{|}}\n    must true", {"provider"}, {"production"}),
        (f"{HEAD}system.name is |", {"system", "known"}, {"production"}),
        (f"{HEAD}live(system) |", {"and", "or", "must", "must not", "is", "severity"}, {"system", "every", "via"}),
        (f"{HEAD}live(system)\n    |", {"must", "must not", "cites", "severity", "except"}, {"rule", "system"}),
        (f"{HEAD}live(system)\n    severity |", {"critical", "low"}, {"law", "must"}),
        (f"{HEAD}live(system)\n    basis |", {"law", "firm_policy"}, {"low"}),
        (f"{HEAD}live(system)\n    must every |", {"Dataset", "System"}, {"system", "datasheet", "not"}),
        (f"{HEAD}live(system)\n    must at least 2 |", {"Dataset"}, {"system"}),
        (f"{HEAD}live(system)\n    must every Dataset |", {"upstream of", "in", "where", "as"}, {"Dataset", "dataset"}),
        (f"{HEAD}live(system)\n    must every Dataset upstream of |", {"system"}, {"System", "live"}),
        (f"{HEAD}live(system)\n    must every Dataset upstream of system via |", {"trained_on", "used_by"}, {"stage"}),
        (
            f"{HEAD}live(system)\n    must every Dataset upstream of system via trained_on, |",
            {"derived_from"},
            {"system"},
        ),
        (f"{HEAD}live(system)\n    must some Model in system.|", {"uses_model"}, {"stage", "trained_on"}),
        (f"{HEAD}live(system)\n    must some Model as m in system.|", {"uses_model"}, {"stage"}),
        (f"{HEAD}live(system)\n    must some Dataset in system.uses_model/|", {"trained_on"}, {"stage"}),
        (f"{HEAD}live(system)\n    must every Model satisfies model.|", {"task"}, {"annex_iii", "trained_on"}),
        (f"{HEAD}live(system)\n    must some Model as m where m.|", {"task"}, {"annex_iii"}),
        (f"{HEAD}live(system)\n    must count of |", {"Model"}, {"model"}),
        (f"{HEAD}live(system)\n    must system has evidence |", {"dpia", "datasheet"}, {"system", "signed by"}),
        (f"{HEAD}live(system)\n    must system has evidence dpia |", {"signed by", "where", "not"}, {"dpia", "system"}),
        (f"{HEAD}live(system)\n    must system has evidence dpia signed by |", {"risk_owner"}, {"system", "dpia"}),
        (f"{HEAD}live(system)\n    must system has evidence dpia where |", {"residual_risk", "system"}, {"stage"}),
        (f"{HEAD}live(system)\n    must system has evidence dpia where residual_risk is |", {"critical"}, {"staging"}),
        (
            f"{HEAD}live(system)\n    must some Dataset upstream of system not through (|",
            {"Transformation"},
            {"system"},
        ),
        (f'{HEAD}live(system)\n    must true\n    otherwise "{{|', {"system"}, {"System", "must"}),
        (f'{HEAD}live(system)\n    must true\n    otherwise "😀 {{system.|}}"', {"stage"}, {"task", "must"}),
        (f'{HEAD}live(system)\n    must true\n    otherwise "no placeholder |"', set(), {"system", "must"}),
        (f"{HEAD}live(system)  # a remark |", set(), {"and", "must", "system"}),
        (f"{HEAD}) ) )\n    must true\n    |", {"cites", "severity"}, {"rule"}),
        ("policy x\nuse |", {"std.ai", "bank.common"}, {"rule", "use"}),
        ("policy x\nuse bank.|", {"bank.common"}, {"rule"}),
        (
            "policy x\nuse std.ai as ai\nuse bank.common as ours\nrule r for each System must ours.|",
            {"live"},
            {"stage"},
        ),
        ("policy x\nuse std.ai\n|", {"rule", "test", "node", "define"}, {"System", "must"}),
        ("policy x\nuse std.ai\nparameter p: |", {"Duration", "Stage", "set"}, {"rule", "staging"}),
        ("policy x\nuse std.ai\nparameter p: Stage = |", {"staging"}, {"Duration"}),
        (
            "policy x\nuse std.ai\nparameter p: Stage = staging\nrule r for each System must p is |",
            {"retired"},
            {"system"},
        ),
        ("policy x\nuse std.ai\ndefine d(m: |", {"Model", "Stage", "Text"}, {"m"}),
        ("policy x\nuse std.ai\ndefine d(m: Model) as m.|", {"task"}, {"annex_iii"}),
        ("policy x\nuse std.ai\nnode Robot is |", {"Thing", "Tool"}, {"staging"}),
        ("policy x\nuse std.ai\nnode Robot is Thing { arms: |", {"Integer", "Stage"}, {"arms"}),
        ("policy x\nuse std.ai\nedge steers from |", {"System"}, {"trained_on"}),
        ("policy x\nuse std.ai\nedge steers from System, Model to |", {"Person"}, {"trained_on"}),
        ("policy x\nuse std.ai\nextend node |", {"System"}, {"Stage"}),
        ("policy x\nuse std.ai\nextend enum |", {"Stage"}, {"System"}),
    ],
)
def test_names_and_words_that_fit(text: str, wanted: set[str], unwanted: set[str]) -> None:
    found = set(offered(text))
    assert wanted <= found
    assert not unwanted & found


TEST = RULES + '\ntest "another"\n    at 2028-01-15\n    given\n        System credit { stage: production }\n'


@pytest.mark.parametrize(
    ("rest", "wanted", "unwanted"),
    [
        ("        |", {"System", "credit", "evidence"}, {"uses_model", "system"}),
        ("        Model m\n        credit |", {"uses_model"}, {"trained_on", "m"}),
        ("        Model m\n        credit uses_model |", {"m", "credit"}, {"Model"}),
        ("        Model m { |", {"task", "stage"}, {"annex_iii"}),
        ('        Model m { task: "x", |', {"stage"}, {"annex_iii"}),
        ("        Model m { stage: |", {"retired"}, {"task"}),
        ("        evidence |", {"dpia"}, {"credit"}),
        ("        evidence dpia on |", {"credit"}, {"dpia", "System"}),
        ("        evidence dpia on credit signed by |", {"risk_owner"}, {"credit"}),
        ("        evidence dpia on credit { |", {"residual_risk"}, {"stage"}),
        ("        evidence dpia on credit { residual_risk: |", {"critical"}, {"staging"}),
        ("    expect |", {"pass", "fail", "unknown"}, {"documented"}),
        ("    expect fail of |", {"documented"}, {"credit"}),
        ("    expect fail of documented on |", {"credit"}, {"documented"}),
        ("    expect fail of documented on credit because of |", {"credit"}, {"documented"}),
    ],
)
def test_names_and_words_that_fit_in_a_test(rest: str, wanted: set[str], unwanted: set[str]) -> None:
    found = set(offered(TEST + rest))
    assert wanted <= found
    assert not unwanted & found


def test_every_word_that_an_author_wrote_was_offered() -> None:
    """Wherever a finished file has a name that means something, completion before it would have offered it."""
    documents = Documents(STANDARD)
    documents.put("file:///w/common.policy", COMMON)
    documents.put(URI, TEST)
    analysis = Analyses(documents).of(URI)
    assert analysis is not None
    index = analysis.index
    uses = {use for offset in range(len(TEST)) for use in index.at(URI, offset)}
    wrote = [u for u in uses if (declared := index.declaration(u.meaning)) and declared.name != u.span]
    assert len(wrote) > 25
    for use in wrote:
        assert use.meaning.name in offered(f"{TEST[: use.span.start]}|{TEST[use.span.start :]}"), use


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet='{}().,/:=|"#<> \n\tasystem.isinevery12😀é', max_size=60), st.integers(0, 60))
def test_completion_has_an_answer_for_anything(rest: str, at: int) -> None:
    text = HEAD + rest.replace("|", "")
    cut = min(len(text), len(HEAD) + at)
    offered(f"{text[:cut]}|{text[cut:]}")


def test_taking_a_proposal_replaces_the_word_begun(editor: Editor, tmp_path: Path) -> None:
    common, uri = workspace(tmp_path)
    editor.open(common, COMMON)
    text = RULES.replace('"😀" is not system.name', '"😀" is not system.na')
    editor.open(uri, text)
    items = editor.at("completion", uri, place_of(text, "not system.na|"))["items"]
    item = next(i for i in items if i["label"] == "name")
    assert edited(text, [item["textEdit"]]) == RULES
    assert "name: Text" in item["documentation"]["value"]


def test_the_uri_of_a_file_has_one_form() -> None:
    assert uri_of("file:///w/a%20b%3A.policy") == uri_of("file:///w/a b:.policy")
    assert uri_of("untitled:1") == "untitled:1"
    assert uri_of("file:///a%00b") == "file:///a%00b"
    assert uri_of("http://[bad") == "http://[bad"
