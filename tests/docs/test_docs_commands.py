"""The commands of the manual run, and print what the manual shows."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policy_engine.cli.main import main
from tests.docs.doc_blocks import DOCS, PAGES, Block, blocks

ROOT = DOCS.parent
TODAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""The day on which the commands of the manual are run: what counts, and what is over, is that of this day."""
MARK = re.compile(r"^<!-- shell: (empty|example) -->$", re.MULTILINE)
WITH_SHELL = {page: found[1] for page in PAGES if (found := MARK.search(page.read_text(encoding="utf-8")))}
TOOLS = ("base64", "cmp", "dd", "jq", "openssl", "sed", "sha256sum", "unzip")
_SHELL = re.compile(r"[|&;<>$`*]")


class Shell:
    """A shell in a folder: remembers variables, the working folder and the last exit code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables: dict[str, str] = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        self.exit_code = 0

    def run(self, command: str) -> str:
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.variables[name] = shlex.split(value)[0]
            return ""
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            return ""
        if command.startswith("policy-engine ") and not _SHELL.search(command):
            return self._in_process(shlex.split(command)[1:])
        finished = subprocess.run(
            ["bash", "-c", f"(exit {self.exit_code}); {command}"],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.exit_code = finished.returncode
        return finished.stdout

    def _in_process(self, words: list[str]) -> str:
        printed = io.StringIO()
        before = dict(os.environ)
        os.environ.update(self.variables)
        try:
            with (
                contextlib.chdir(self.folder),
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
            ):
                main(words)
        except SystemExit as stop:
            self.exit_code = int(stop.code or 0)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return printed.getvalue()


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("policy_engine.cli.") and hasattr(module, "clock"):
            monkeypatch.setattr(module, "clock", lambda: TODAY)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example bank, in a folder like the repository's root, with its evidence made."""
    root = tmp_path_factory.mktemp("example")
    shutil.copytree(
        ROOT / "examples" / "credit-scoring",
        root / "examples" / "credit-scoring",
        ignore=shutil.ignore_patterns("generated"),
    )
    (root / "policies").symlink_to(ROOT / "policies")
    made = importlib.util.spec_from_file_location(
        "make_evidence_of_the_manual", root / "examples/credit-scoring/make_evidence.py"
    )
    assert made is not None and made.loader is not None
    module = importlib.util.module_from_spec(made)
    sys.modules[made.name] = module
    made.loader.exec_module(module)
    module.make(root / "examples" / "credit-scoring" / "generated", b"example-bank-demo")
    return root


@pytest.mark.parametrize("page", WITH_SHELL, ids=lambda page: page.stem)
def test_the_commands_of_a_page(page: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    wanted = {"bash", *(t for t in TOOLS for b in blocks(page) if re.search(rf"(^|[ (]){t} ", b.text, re.MULTILINE))}
    missing = sorted(tool for tool in wanted if shutil.which(tool) is None)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    folder = tmp_path / "here"
    if WITH_SHELL[page] == "example":
        shutil.copytree(request.getfixturevalue("example"), folder, symlinks=True)
    else:
        folder.mkdir()
    shell = Shell(folder)
    for block in blocks(page):
        if block.title is not None:
            (folder / block.title).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "sh" and block.info == "run":
            printed = shell.run(f"set -e; {block.text}")
            assert shell.exit_code == 0, f"{block}: {printed}"
        elif block.language == "console":
            _play(shell, block)


def test_a_page_with_commands_has_a_shell() -> None:
    told = {page for page in PAGES if any(b.language == "console" or b.info == "run" for b in blocks(page))}
    assert told == set(WITH_SHELL)


def _play(shell: Shell, block: Block) -> None:
    for command, expected in _commands(block.text):
        printed = "".join(f"{line.rstrip()}\n" for line in shell.run(command).splitlines())
        assert _pattern(expected).fullmatch(printed), f"{block}: `{command}` printed\n{printed}"


def _commands(text: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0].removesuffix(chr(92))} {line[2:]}", [])
        else:
            found[-1][1].append(line)
    return found


def _pattern(expected: list[str]) -> re.Pattern[str]:
    parts = (
        r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.rstrip().split("…"))) + r"\n"
        for line in expected
    )
    return re.compile("".join(parts))
