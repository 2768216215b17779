from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the extra `lsp` is not installed")

from tests.lsp.lsp_client import Editor
from tests.lsp.lsp_texts import workspace


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """One server for the tests of a module."""
    server = Editor(tmp_path_factory.mktemp("workspace"))
    yield server
    assert server.stop() == 0
    server.close()
    assert server.log == ""


@pytest.fixture
def editor(shared_server: Editor) -> Iterator[Editor]:
    """A server in which no file is open."""
    yield shared_server
    shared_server.close_files()


@pytest.fixture
def session(editor: Editor, tmp_path: Path) -> Iterator[tuple[Editor, str, str]]:
    """A server with a workspace folder on disk that holds both packs, and their URIs."""
    common, rules = workspace(tmp_path)
    folder = {"uri": tmp_path.as_uri(), "name": tmp_path.name}
    editor.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder], "removed": []}})
    yield editor, common, rules
    editor.close_files()
    editor.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder]}})
