"""Writes a page for each lint rule, and their list, from the docstrings of the rules.

    python docs/lint/write_pages.py

A test fails when a page is not up to date.
"""

from pathlib import Path

from policy_dsl.lint import RULES

FOLDER = Path(__file__).parent

_INTRO = """\
# Lint rules

What `policy-engine lint` finds. A rule never objects to what a policy may say; it finds what is probably not meant.

To keep what a rule objects to, say why in a comment: `# lint: allow NAME because REASON`. Behind a line it speaks of
that line, on a line of its own of the line below it; on the first line of a declaration it speaks of the declaration,
on the `policy` line of the whole file. A comment without a reason (PE8090), one that allows what does not occur
(PE8091) and one that names no rule (PE8092) are findings themselves.

| code | name | what is wrong |
|---|---|---|
"""


def generated() -> dict[Path, str]:
    """Return the text of every page, by its path."""
    pages = {FOLDER / f"{r.name}.md": f"# {r.name}\n\n{r.code}: {r.summary}.\n\n{r.page}" for r in RULES}
    rows = "".join(f"| {r.code} | [{r.name}]({r.name}.md) | {r.summary} |\n" for r in RULES)
    return {FOLDER / "README.md": _INTRO + rows, **pages}


def main() -> None:
    """Write every page."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
