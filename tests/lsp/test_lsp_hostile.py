"""Documents and requests that nobody should send. The server answers, goes on, and never fails by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lsp.lsp_client import Editor, Refused
from tests.lsp.lsp_texts import RULES, workspace

DEEP = "policy x\nuse std.ai\nrule r for each System must " + "(" * 20_000 + "true" + ")" * 20_000
DOCUMENTS = {
    "empty": "",
    "no header": "rule",
    "zeros": "\0" * 500,
    "deep": DEEP,
    "nots": "policy x\nuse std.ai\nrule r for each System must " + "not " * 5_000 + "true",
    "one long line": "policy x " + "a" * 300_000,
    "quotes": '"' * 5_001,
    "bidi": "policy x\u202e\u2066\nrule r\u200b for each System must true",
    "half a character": "policy x\n# \ud83d \udc00\nuse std.ai",
    "carriage returns": "policy x\ruse std.ai\rrule r for each System must true",
    "itself": "policy x\nuse x\ndefine d() as d()\nnode N is N\n",
    "everything twice": RULES * 3,
    "fences": '```\n````policy\npolicy "x"\n~~~policy\n',
    "braces": 'policy x\nuse std.ai\nrule r for each System must true otherwise "' + "{system." * 3_000 + '"',
}
QUESTIONS = ("hover", "completion", "definition", "prepareRename")
PLACES = ((0, 0), (0, 5), (2, 31), (999_999, 0), (0, 999_999), (2_147_483_647, 2_147_483_647))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    workspace(folder)
    editor = Editor(folder)
    yield editor
    assert editor.stop() == 0
    editor.close()
    assert "Traceback" not in editor.log


@pytest.mark.parametrize("name", DOCUMENTS)
def test_any_text_is_answered(server: Editor, name: str) -> None:
    uri = f"untitled:{name.replace(' ', '-')}.policy{'.md' if name == 'fences' else ''}"
    server.open(uri, DOCUMENTS[name])
    server.wait_for_diagnostics(uri)
    for place in PLACES:
        for question in QUESTIONS:
            server.at(question, uri, place)
        server.at("references", uri, place, context={"includeDeclaration": True})
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9_999, "character": 9_999}}
    document = {"textDocument": {"uri": uri}}
    server.ask("textDocument/codeAction", {**document, "range": whole, "context": {"diagnostics": []}})
    server.ask("textDocument/documentSymbol", document)
    server.ask("textDocument/formatting", {**document, "options": {"tabSize": 4, "insertSpaces": True}})
    server.tell("textDocument/didClose", document)


@pytest.mark.parametrize(
    "uri", ["file:///nowhere.policy", "http://[", "file:///%00", "", "file://host/a.policy", "x:y"]
)
def test_files_that_were_never_opened_have_no_answer(server: Editor, uri: str) -> None:
    assert server.at("hover", uri, (0, 0)) is None
    assert server.at("completion", uri, (0, 0))["items"] == []
    assert server.at("definition", uri, (0, 0)) == []
    server.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
    server.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 1}]})


def test_a_change_outside_the_workspace_brings_no_file_in(server: Editor, tmp_path: Path) -> None:
    secret = tmp_path / "other.policy"
    secret.write_text("policy secret.pack\n", encoding="utf-8")
    server.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": secret.as_uri(), "type": 1}]})
    server.open("untitled:peek.policy", "policy peek\nuse secret.")
    assert "secret.pack" not in server.labels("untitled:peek.policy", (1, 11))


def test_links_in_the_workspace_are_not_followed_in_a_circle(tmp_path: Path) -> None:
    workspace(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.policy").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.policy").mkdir()
    editor = Editor(tmp_path)
    editor.open("untitled:a.policy", "policy a\nuse bank.rules\n")
    assert editor.wait_for_diagnostics("untitled:a.policy") == []
    assert editor.stop() == 0
    editor.close()


def test_messages_that_are_none_do_not_end_the_session(tmp_path: Path) -> None:
    editor = Editor(tmp_path)
    for n, body in enumerate([b"{", b"[]", b'"x"', b'{"jsonrpc":"2.0","id":1}', b"\xff\xfe", b"null"]):
        editor.send_raw(body)
        uri = f"untitled:{n}.policy"
        editor.open(uri, "policy a\n")
        assert editor.labels(uri, (1, 0))
    editor.close()


def test_wrong_requests_are_refused_in_the_words_of_the_protocol(server: Editor) -> None:
    with pytest.raises(Refused) as unknown:
        server.ask("textDocument/nonsense", {})
    assert unknown.value.code == -32601
