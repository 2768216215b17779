from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the extra `lsp` is not installed")

from tests.lsp.lsp_client import Editor


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """One server for the tests of a module that each open files of their own."""
    folder: Path = tmp_path_factory.mktemp("workspace")
    session = Editor(folder)
    yield session
    assert session.stop() == 0
    session.close()
