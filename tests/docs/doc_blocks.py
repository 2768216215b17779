"""The fenced blocks of the manual, and the conventions by which tests check them.

| info string | what is checked |
|---|---|
| `policy` | a pack, or declarations for which a header and `use std.ai` are added; it compiles and its tests pass |
| | several packs where lines `# file: NAME` divide them |
| `policy on System, Model` | conditions over a thing of each kind, each beginning at the left margin |
| `policy PE2006 …`, `yaml PE3142`, `toml PE0003` | it is wrong, and the code is what is said about it |
| `yaml trust` | a trust file |
| `toml` | TOML; with `profile = 1`, a profile |
| `yaml`, `json` | it can be read |

On a page with `<!-- shell: empty -->` or `<!-- shell: example -->`, in order: a block with `title=NAME` is written
to that file, `sh run` is run and must succeed, and each command after `$ ` in a `console` block, which may go on after
`> `, prints what is shown below it. A line `...` stands for any lines, `…` for any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(p for p in DOCS.rglob("*.md") if "adr" not in p.relative_to(DOCS).parts)

_FENCE = re.compile(r"^(```+)(\w+)?(?: (.*))?$")


@dataclass(frozen=True, slots=True)
class Block:
    page: str
    line: int
    language: str
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def title(self) -> str | None:
        return self.info.removeprefix("title=") if self.info.startswith("title=") else None

    @property
    def wrong_code(self) -> str | None:
        found = re.match(r"PE\d{4}\b", self.info)
        return found[0] if found else None

    @property
    def kinds(self) -> list[str]:
        return [k.strip() for k in self.info.partition("on ")[2].split(",")] if "on " in self.info else []


def blocks(page: Path) -> Iterator[Block]:
    name = page.relative_to(DOCS).as_posix()
    opened: tuple[int, str, str] | None = None
    fence = ""
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        found = _FENCE.match(line)
        if opened is None and found:
            fence, opened, lines = found[1], (number, found[2] or "", found[3] or ""), []
        elif opened is not None and line == fence:
            yield Block(name, *opened, "".join(f"{text}\n" for text in lines))
            opened = None
        elif opened is not None:
            lines.append(line)
    assert opened is None, f"{name}: a block is not closed"


def all_blocks() -> list[Block]:
    return [block for page in PAGES for block in blocks(page)]
