"""Literate packs: Markdown documents whose fenced ``policy`` blocks hold declarations.

>>> [block] = blocks_of("The law.\\n\\n```policy\\nuse std.ai\\n```\\n")
>>> (block.start, block.end)
(20, 31)
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SUFFIX = ".policy.md"
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\r\n`]*)\r?$")


@dataclass(frozen=True, slots=True)
class Block:
    """The characters between the two fences of a block."""

    start: int
    end: int


def is_literate(name: str) -> bool:
    """Tell by its name whether a file is a document with policy blocks."""
    return name.endswith(SUFFIX)


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the policy blocks of a Markdown document; a fence that is never closed reaches to the end."""
    at = 0
    fence = ""
    start = 0
    ours = False
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line.rstrip("\n"))
        if not fence and found:
            fence, ours, start = found[1], found[2].split()[:1] == ["policy"], at + len(line)
        elif fence and found and found[1].startswith(fence) and not found[2].strip():
            if ours:
                yield Block(start, at)
            fence = ""
        at += len(line)
    if fence and ours:
        yield Block(start, at)


def replaced(text: str, blocks: Sequence[tuple[Block, str]]) -> str:
    """Return a document with other texts in its blocks; everything else stays byte for byte."""
    parts: list[str] = []
    at = 0
    for block, content in blocks:
        parts += [text[at : block.start], content]
        at = block.end
    return "".join([*parts, text[at:]])
