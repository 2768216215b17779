"""The YAML front matter of a Markdown file: what stands at its top between two lines of three hyphens.

Rules: space may come before it and lines may end as Windows ends them; what is between the lines is YAML as strictly as
in a file of its own, at most one document, and a mapping; a file without front matter is Markdown all the same.

>>> front = read_front_matter("---\\nlicense: mit\\n---\\n# A model\\n", "README.md")
>>> front.located.content, front.located.place("/license"), front.body
({'license': 'mit'}, (2, 10), '# A model\\n')
>>> read_front_matter("# A model\\n", "README.md").located.content is None
True
"""

import re
from dataclasses import dataclass
from typing import Final

from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.json_text import MAX_DEPTH
from policy_engine.lineage.located import Located
from policy_engine.lineage.yaml_text import read_yaml
from policy_engine.model.problems import Problem, Severity

_OPENING: Final = re.compile(r"\s*---[ \t]*\r?\n")
_CLOSING: Final = re.compile(r"^---[ \t]*\r?$\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The front matter, with nothing as its content when there is none, and the text after it."""

    located: Located
    body: str


def read_front_matter(
    text: str, file: str, *, max_depth: int = MAX_DEPTH, repeated: list[Problem] | None = None
) -> FrontMatter:
    """Return the front matter of a Markdown text.

    Raises:
        LineageError: the front matter does not end, is not YAML or not one mapping; the problem says where.
    """
    opening = _OPENING.match(text)
    if opening is None:
        return FrontMatter(Located(None, {}), text)
    first = text.count("\n", 0, opening.end())
    closing = _CLOSING.search(text, opening.end())
    if closing is None:
        raise _wrong("the front matter begins here and does not end", file, first, "end it with a line `---`")
    # Empty lines in the place of what is before it keep the line numbers of the file.
    written = "\n" * first + text[opening.end() : closing.start()]
    read = read_yaml(written, file, max_depth=max_depth, repeated=repeated)
    found = [each for each in read if each.content is not None]
    if not found:
        return FrontMatter(Located(None, {}), text[closing.end() :])
    if len(found) > 1 or not isinstance(found[0].content, dict):
        raise _wrong("the front matter is not a mapping", file, first + 1, "write `key: value` lines between the `---`")
    return FrontMatter(found[0], text[closing.end() :])


def _wrong(message: str, file: str, line: int, advice: str) -> LineageError:
    return LineageError(Problem("PE3161", Severity.ERROR, message, file, "", line, 1, advice))
