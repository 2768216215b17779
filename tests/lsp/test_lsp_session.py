"""A whole session as an editor has it: the real server, spoken to over its standard input and output."""

from pathlib import Path

import pytest

from tests.lsp.lsp_client import Editor, Refused, edited, place_of
from tests.lsp.lsp_texts import COMMON, RULES, workspace


def quick_fixes(editor: Editor, uri: str, diagnostic: dict) -> list[dict]:
    asked = {"textDocument": {"uri": uri}, "range": diagnostic["range"], "context": {"diagnostics": [diagnostic]}}
    found: list[dict] = editor.ask("textDocument/codeAction", asked)
    return found


def test_a_mistake_is_made_reported_repaired_and_the_session_ends(tmp_path: Path) -> None:
    _, rules = workspace(tmp_path)
    editor = Editor(tmp_path)
    editor.open(rules, RULES)
    assert editor.wait_for_diagnostics(rules) == []

    wrong = RULES.replace("is not system.name", "is not system.nmae")
    editor.change(rules, wrong)
    (found,) = editor.wait_for_diagnostics(rules)
    assert (found["code"], found["severity"]) == ("PE2006", 1)
    line, column = place_of(wrong, "system.|nmae")
    assert found["range"] == {
        "start": {"line": line, "character": column},
        "end": {"line": line, "character": column + 4},
    }

    (repair,) = quick_fixes(editor, rules, found)
    assert repair["title"] == "Change to `name`"
    assert repair["isPreferred"]
    right = edited(wrong, repair["edit"]["changes"][rules])
    assert right == RULES
    editor.change(rules, right)
    assert editor.wait_for_diagnostics(rules) == []
    assert editor.stop() == 0
    editor.close()
    assert editor.log == ""


def test_every_mistake_of_a_file_is_reported_while_typing_pauses(session: tuple[Editor, str, str]) -> None:
    editor, _, rules = session
    text = RULES.replace("datasheet signed", "datashet signed").replace("expect pass", "expect passed")
    editor.open(rules, RULES)
    for end in range(0, len(text), 40):  # as fast as a person can only dream of
        editor.change(rules, text[:end])
    editor.messages.clear()
    editor.change(rules, text)
    assert {d["code"] for d in editor.wait_for_diagnostics(rules)} == {"PE2008", "PE1012"}
    sent = [m for m in editor.messages if m.get("method") == "textDocument/publishDiagnostics"]
    assert len(sent) < 10


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("where live(sys|tem)", ["system: System", "Variable"]),
        ("where li|ve(system)", ["define live(system: System)", "In use", "bank.common"]),
        ("every Data|set up", ["node Dataset is Thing", "train, validate, test"]),
        ("via trained|_on", ["edge trained_on from Model to Dataset, Feature reverse trains lineage"]),
        ("data|sheet signed", ["evidence datasheet on Dataset", "how it was prepared", "`gaps_examined`"]),
        ("data_|steward", ["role data_steward", "Answers for data"]),
        ("than max|_age", ["parameter max_age: Duration = 90 days", "How old 😀"]),
        ("{max|_age}", ["parameter max_age"]),
        ("{system.na|me}", ["name: Text", "Attribute of `Thing`"]),
        ("{ sta|ge:", ["stage: Stage", "`production`"]),
        ("stage: pro|duction", ["Member of `Stage`"]),
        (
            "pass of docu|mented",
            ["rule documented", "Art. 10(2)", "high", "from 2027-12-02", "chapter 3", "firm policy"],
        ),
        ("on cre|dit", ["credit: System", "Thing of this test"]),
        ("use bank.com|mon", ["policy bank.common", "Shared"]),
    ],
)
def test_hover_explains_what_a_name_means(editor: Editor, tmp_path: Path, marked: str, said: list[str]) -> None:
    common, rules = workspace(tmp_path)
    editor.open(common, COMMON)
    editor.open(rules, RULES)
    shown = editor.at("hover", rules, place_of(RULES, marked))
    for part in said:
        assert part in shown["contents"]["value"]


def test_hover_shows_texts_and_draws_nothing(editor: Editor, tmp_path: Path) -> None:
    text = 'policy x\nnode N "see [this](command:boom) ![i](http://x) <b> `code`"\nrule r for each N must true\n'
    uri = (tmp_path / "x.policy").as_uri()
    editor.open(uri, text)
    shown = editor.at("hover", uri, place_of(text, "each |N"))["contents"]["value"]
    assert "\\[this\\](command:boom)" in shown
    assert "\\!\\[i\\]" in shown
    assert "\\<b\\>" in shown


def test_definition_leads_to_other_files_and_into_the_library(session: tuple[Editor, str, str]) -> None:
    editor, common, rules = session
    editor.open(rules, RULES)
    (place,) = editor.at("definition", rules, place_of(RULES, "than max|_age"))
    line, column = place_of(COMMON, "|max_age: Duration")
    assert (place["uri"], place["range"]["start"]) == (common, {"line": line, "character": column})

    (place,) = editor.at("definition", rules, place_of(RULES, "{dataset.na|me}"))
    library = Path(place["uri"].removeprefix("file://"))
    assert library.is_file()
    assert (
        library.read_text("utf-8").splitlines()[place["range"]["start"]["line"]].split('"')[0].strip() == "name: Text"
    )

    # A library file can be opened and looked around in, but what it declares keeps its name.
    text = library.read_text("utf-8")
    editor.open(place["uri"], text)
    assert editor.wait_for_diagnostics(place["uri"]) == []
    (again,) = editor.at("definition", place["uri"], place_of(text, "node System is Thi|ng"))
    assert again["uri"] == place["uri"]
    assert editor.at("prepareRename", place["uri"], place_of(text, "node Sys|tem")) is None
    with pytest.raises(Refused, match="fixed"):
        editor.at("rename", rules, place_of(RULES, "every Data|set up"), newName="Data")


def test_references_cover_every_file_and_count_in_utf_16(session: tuple[Editor, str, str]) -> None:
    editor, common, rules = session
    editor.open(rules, RULES)
    where = place_of(RULES, "than max|_age")
    found = editor.at("references", rules, where, context={"includeDeclaration": True})
    texts = {common: COMMON, rules: RULES}
    places = [(common, "|max_age: Duration"), (rules, "than |max_age"), (rules, "{|max_age}")]
    expected = {(uri, *place_of(texts[uri], marked)) for uri, marked in places}
    starts = {(p["uri"], p["range"]["start"]["line"], p["range"]["start"]["character"]) for p in found}
    assert starts == expected
    assert len(editor.at("references", rules, where, context={"includeDeclaration": False})) == 2


def test_rename_changes_two_files_and_the_result_compiles(session: tuple[Editor, str, str]) -> None:
    editor, common, rules = session
    editor.open(rules, RULES)
    place = place_of(RULES, "than max|_age")
    assert editor.at("prepareRename", rules, place)["start"]["line"] == place[0]
    changes = editor.at("rename", rules, place, newName="oldest")["changes"]
    assert set(changes) == {common, rules}
    new_common, new_rules = edited(COMMON, changes[common]), edited(RULES, changes[rules])
    assert new_common == COMMON.replace("max_age", "oldest")
    assert new_rules == RULES.replace("max_age", "oldest")
    editor.open(common, new_common)
    editor.change(rules, new_rules)
    assert editor.wait_for_diagnostics(rules) == []
    assert editor.wait_for_diagnostics(common) == []


@pytest.mark.parametrize(
    ("marked", "new", "why"),
    [
        ("than max|_age", "live", "declared twice"),
        ("than max|_age", "1st", "not a name"),
        ("than max|_age", "two words", "not a name"),
        ("than max|_age", "a\nrule x for each System must true", "not a name"),
        ("where live(sys|tem)", "dataset", "hide"),
        ("e|very Dataset", "some", "no name here"),
        ("signed by data_st|eward", "boss", "library"),
    ],
)
def test_rename_refuses_with_the_reason(editor: Editor, tmp_path: Path, marked: str, new: str, why: str) -> None:
    common, rules = workspace(tmp_path)
    editor.open(common, COMMON)
    editor.open(rules, RULES)
    with pytest.raises(Refused, match=why) as refused:
        editor.at("rename", rules, place_of(RULES, marked), newName=new)
    assert refused.value.code == -32803


def test_a_variable_that_takes_its_name_from_its_kind_is_renamed_by_naming_it(editor: Editor, tmp_path: Path) -> None:
    common, rules = workspace(tmp_path)
    editor.open(common, COMMON)
    editor.open(rules, RULES)
    changes = editor.at("rename", rules, place_of(RULES, "where live(sys|tem)"), newName="s")["changes"]
    text = edited(RULES, changes[rules])
    assert 'for each System as s where live(s) and "😀" is not s.name' in text
    assert '"😀 {s.name} learns from {dataset.name}' in text
    assert "upstream of s via" in text


def test_a_kind_takes_its_variables_along(editor: Editor, tmp_path: Path) -> None:
    text = (
        "policy own\nnode Robot { safe: Boolean }\n"
        'rule r for each Robot must robot.safe otherwise "{robot.safe} 😀"\n'
        'test "t"\n    at 2028-01-01\n    given\n        Robot r2 { safe: true }\n    expect pass of r on r2\n'
    )
    uri = (tmp_path / "own.policy").as_uri()
    editor.open(uri, text)
    assert editor.wait_for_diagnostics(uri) == []
    changes = editor.at("rename", uri, place_of(text, "node Rob|ot"), newName="SafeMachine")["changes"]
    assert edited(text, changes[uri]) == text.replace("Robot", "SafeMachine").replace("robot", "safe_machine")


def test_outline_names_what_a_file_declares(session: tuple[Editor, str, str]) -> None:
    editor, _, rules = session
    editor.open(rules, RULES)
    found = editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": rules}})
    assert [s["name"] for s in found] == ["bank.rules", "documented", "a live system without data"]
    assert found[1]["detail"] == "😀 Data are documented"


def test_formatting_gives_the_canonical_layout_or_nothing(session: tuple[Editor, str, str]) -> None:
    editor, _, rules = session
    untidy = RULES.replace("    severity high\n", "      severity    high\n")
    options = {"options": {"tabSize": 4, "insertSpaces": True}}
    editor.open(rules, untidy)
    edits = editor.ask("textDocument/formatting", {"textDocument": {"uri": rules}, **options})
    tidy = edited(untidy, edits)
    assert "\n    severity high\n" in tidy
    editor.change(rules, tidy)
    assert editor.ask("textDocument/formatting", {"textDocument": {"uri": rules}, **options}) == []
    editor.change(rules, RULES + "\nrule (((")
    assert editor.ask("textDocument/formatting", {"textDocument": {"uri": rules}, **options}) == []


def test_the_linter_speaks_later_and_its_edits_can_be_taken(editor: Editor, tmp_path: Path) -> None:
    text = (
        'policy lint\nuse std.ai\n\nrule named "It has a name 😀"\n'
        "    for each System\n    must not (not system.name is known)\n"
    )
    uri = (tmp_path / "lint.policy").as_uri()
    editor.open(uri, text)
    assert editor.wait_for_diagnostics(uri) == []
    found = editor.wait_for_diagnostics(uri, severities=(2,))
    fixes = [a for d in found for a in quick_fixes(editor, uri, d)]
    assert fixes, found
    changed = edited(text, fixes[0]["edit"]["changes"][uri])
    assert changed != text
    editor.change(uri, changed)
    assert editor.wait_for_diagnostics(uri) == []


def test_a_missing_use_can_be_added(session: tuple[Editor, str, str]) -> None:
    editor, _, rules = session
    text = RULES.replace("use bank.common\n", "use std.ai\n")
    editor.open(rules, text)
    found = next(d for d in editor.wait_for_diagnostics(rules) if "`live`" in d["message"])
    repair = next(a for a in quick_fixes(editor, rules, found) if a["title"] == "Add `use bank.common`")
    assert not repair["isPreferred"]
    editor.change(rules, edited(text, repair["edit"]["changes"][rules]))
    assert editor.wait_for_diagnostics(rules) == []


def test_files_that_change_or_go_on_disk_count(session: tuple[Editor, str, str], tmp_path: Path) -> None:
    editor, common, rules = session
    editor.open(rules, RULES)
    assert editor.wait_for_diagnostics(rules) == []
    path = tmp_path / "common.policy"
    path.write_text(COMMON.replace("max_age", "oldest"), encoding="utf-8")
    editor.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": common, "type": 2}]})
    editor.change(rules, RULES + "\n")
    assert {d["code"] for d in editor.wait_for_diagnostics(rules)} == {"PE2004", "PE2110"}
    path.unlink()
    editor.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": common, "type": 3}]})
    editor.change(rules, RULES)
    assert "PE2002" in {d["code"] for d in editor.wait_for_diagnostics(rules)}


def test_an_unsaved_file_is_what_counts_until_it_is_closed(session: tuple[Editor, str, str]) -> None:
    editor, common, rules = session
    editor.open(rules, RULES)
    editor.open(common, COMMON.replace("max_age", "oldest"))
    assert editor.wait_for_diagnostics(rules) != []
    editor.tell("textDocument/didClose", {"textDocument": {"uri": common}})
    editor.change(rules, RULES + "\n")
    assert editor.wait_for_diagnostics(rules) == []
    assert editor.diagnostics[common]["diagnostics"] == []


def test_a_folder_that_leaves_the_workspace_takes_its_files_along(
    session: tuple[Editor, str, str], tmp_path: Path
) -> None:
    editor, _, rules = session
    editor.open(rules, RULES)
    assert editor.wait_for_diagnostics(rules) == []
    folder = {"uri": tmp_path.as_uri(), "name": "w"}
    editor.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder]}})
    editor.change(rules, RULES + "\n")
    assert "PE2002" in {d["code"] for d in editor.wait_for_diagnostics(rules)}


def test_two_projects_of_one_workspace_do_not_disturb_each_other(tmp_path: Path) -> None:
    text = "policy {}\nnode Robot\nrule r for each Robot must true\n"
    editor = Editor(tmp_path)
    uris = [(tmp_path / f"{name}.policy").as_uri() for name in ("a", "b")]
    for uri, name in zip(uris, ("a", "b"), strict=True):
        editor.open(uri, text.format(name))
    assert [editor.wait_for_diagnostics(uri) for uri in uris] == [[], []]
    editor.close()


def test_a_literate_pack_is_checked_inside_its_blocks(editor: Editor, tmp_path: Path) -> None:
    text = (
        "# The law 😀\n\nEvery system has a name.\n\n```policy\npolicy lit\nuse std.ai\n\n"
        "rule named for each System must system.nam is known\n```\n\nEnd of the law.\n"
    )
    uri = (tmp_path / "law.policy.md").as_uri()
    editor.open(uri, text)
    (found,) = editor.wait_for_diagnostics(uri)
    assert found["code"] == "PE2006"
    assert (found["range"]["start"]["line"], found["range"]["start"]["character"]) == place_of(text, "system.|nam ")
    assert "name" in editor.labels(uri, place_of(text, "system.nam| "))
    assert editor.labels(uri, place_of(text, "Every sys|tem")) == []


def test_places_are_counted_as_agreed(tmp_path: Path) -> None:
    _, rules = workspace(tmp_path)
    editor = Editor(tmp_path, general={"positionEncodings": ["utf-32", "utf-16"]})
    assert editor.capabilities["positionEncoding"] == "utf-32"
    editor.open(rules, RULES)
    place = place_of(RULES, "learns from {data|set.name}", "utf-32")
    assert "dataset: Dataset" in editor.at("hover", rules, place)["contents"]["value"]
    editor.close()


def test_a_client_that_can_watch_files_is_asked_to(tmp_path: Path) -> None:
    editor = Editor(tmp_path, workspace={"didChangeWatchedFiles": {"dynamicRegistration": True}})
    editor.open("untitled:one", "policy one\n")
    editor.wait_for_diagnostics("untitled:one")
    (asked,) = [m for m in editor.messages if m.get("method") == "client/registerCapability"]
    patterns = asked["params"]["registrations"][0]["registerOptions"]["watchers"]
    assert [p["globPattern"] for p in patterns] == ["**/*.policy", "**/*.policy.md"]
    editor.close()
