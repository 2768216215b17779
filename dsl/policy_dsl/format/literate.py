"""Literate packs: Markdown documents whose fenced ``policy`` blocks hold declarations.

>>> [block] = blocks_of("The law.\\n\\n```policy\\nuse std.ai\\n```\\n")
>>> (block.start, block.end)
(20, 31)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^\s`]*)")


@dataclass(frozen=True, slots=True)
class Block:
    """The characters between the two fences of a block."""

    start: int
    end: int


def blocks_of(markdown: str) -> Iterator[Block]:
    """Yield the policy blocks of a document: fenced at the left margin; one never closed ends with the text."""
    at = start = 0
    fence = ""
    ours = False
    for line in markdown.splitlines(keepends=True):
        found = _FENCE.match(line)
        if found is not None and not fence:
            fence, ours, start = found[1], found[2] == "policy", at + len(line)
        elif found is not None and not found[2] and found[1].startswith(fence):
            if ours:
                yield Block(start, at)
            fence, ours = "", False
        at += len(line)
    if ours:
        yield Block(start, at)
