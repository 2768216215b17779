"""Writes the pages that repeat what the program says.

    python docs/write_reference.py

`cli.md`, `language/grammar.md`, `reference/vocabulary.md`, the index `reference/codes.md` and the files in `schemas/`
are replaced. Of each page in `reference/codes/`, the heading and the first two paragraphs come from the program; what
stands below them is written by hand and kept. A test fails when a page is not up to date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path

import click
from click.testing import CliRunner

from policy_dsl import compile_bytes
from policy_dsl.lint import RULES
from policy_dsl.typed.schema import Attribute, Flow, Schema
from policy_engine.app.codes import all_codes
from policy_engine.cli.main import cli
from policy_engine.packs.library import select
from policy_evidence.predicates import json_schemas
from policy_evidence.trust.document import trust_json_schema
from policy_reports.document import document_schema

DOCS = Path(__file__).parent
WIDTH = 100

_CLI_INTRO = """\
# Commands

Every command with the help that it prints. `policy-engine COMMAND --help` says the same.

An *instant* is a date, which means its first second in UTC, or RFC 3339 with an offset: `2027-12-02`,
`2027-12-02T09:00:00Z`, `2027-12-02T10:00:00+01:00`. A *profile* is described in [profile.md](profile.md). Exit codes
for CI are explained in [ci.md](ci.md), those of `verify` in [verifying.md](verifying.md).

| variable | what it is for |
|---|---|
| `POLICY_ENGINE_PASSPHRASE` | the passphrase of the private keys; without it a terminal is asked for it |
| `POLICY_ENGINE_DEBUG` | set to anything, it shows where an internal error happened |
| `POLICY_ENGINE_CACHE` | the folder in which compiled policies are kept between runs of `check`; `off` keeps none |
| `POLICY_ENGINE_STORE` | the store that the `snapshot` commands use, and `check` together with `--as-of` |
| `NO_COLOR` | set to anything, the output has no colours |

Codes such as `PE0005` in messages are explained in [reference/codes.md](reference/codes.md), and by
`policy-engine explain PE0005`.
"""

_CODES_INTRO = """\
# Codes

Every message of the program carries a code, and a code keeps its meaning for ever. Each has a page that says what to
do; where an example is shown there, it produces the code. `policy-engine explain CODE` prints the meaning.
"""

_GRAMMAR_INTRO = """\
# Grammar

The grammar of one declaration, as the parser reads it. A file is a sequence of declarations, each of which begins with
its keyword at the left margin. [specification.md](specification.md#text-and-words) says how text becomes words, and
what the grammar cannot say: which words are keywords where, and where the end of a line counts.

| notation | means |
|---|---|
| `"word"` | this keyword or sign |
| `CAPITALS` | a word of the shape given at the end |
| `a b`, `a \\| b` | one after the other, one or the other |
| `[a]`, `a*`, `a+`, `(a b)` | none or once, any number of times, at least once, taken together |
"""

_VOCABULARY_INTRO = """\
# The vocabulary

What an inventory can say and what rules can ask: the kinds of things, their attributes, the edges between them, and the
evidence that can be signed about them, as the pack `std.ai` declares them. Your own packs can
[add to it](../language/reference.md#schema). [inventory.md](../inventory.md) says how values are written.

## Kinds

Every kind is a Thing, and has the attributes of one beside its own. *Else* says what counts where nobody states a
value.
"""

_EDGES_INTRO = """\
## Edges

An edge points from what depends to what it depends on, and can be written at either end. Questions about what lies
`upstream of` or `downstream of` a thing follow lineage, and always look inside parts.
"""

_FLOWS = {Flow.NONE: "", Flow.LINEAGE: "lineage", Flow.PART: "a part"}

_GROUPS = {
    "PE00": "Using the program",
    "PE10": "Policies: text and grammar",
    "PE20": "Policies: names",
    "PE21": "Policies: types",
    "PE31": "Inventory and other documents of facts",
    "PE32": "Evidence against the schema of the policies",
    "PE33": "The store of snapshots",
    "PE34": "Estate files and the gate",
    "PE35": "Whole estates at once",
    "PE36": "Forecasts, differences and remedies",
    "PE37": "Pictures",
    "PE38": "Watching",
    "PE39": "Packs and starting",
    "PE40": "Reading and writing JSON",
    "PE41": "Envelopes, statements and predicates",
    "PE42": "Keys and certificates",
    "PE43": "The trust file",
    "PE44": "Evidence, waivers and decisions that do not count",
    "PE50": "The archive of a bundle",
    "PE51": "The manifest of a bundle",
    "PE52": "Verification of a bundle",
    "PE60": "The assessment document",
    "PE61": "Signing a report",
    "PE62": "Verification of a report",
    "PE80": "Formatter and linter",
}


def generated() -> dict[Path, str]:
    """Return the text of every generated file, by its path."""
    files = {
        DOCS / "cli.md": _cli_page(),
        DOCS / "language" / "grammar.md": grammar_page(),
        DOCS / "reference" / "vocabulary.md": vocabulary_page(compile_bytes(select(["std"], {}).files)[0].schema),
        **_code_pages(),
    }
    schemas: dict[str, object] = {
        **json_schemas(),
        "trust-v1.schema.json": trust_json_schema(),
        "assessment-v1.schema.json": document_schema(),
    }
    for name, schema in schemas.items():
        files[DOCS / "schemas" / name] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return files


def _cli_page() -> str:
    parts = [_CLI_INTRO]
    for words in commands(cli, ()):
        shown = CliRunner().invoke(cli, [*words, "--help"], prog_name="policy-engine", terminal_width=WIDTH)
        heading = " ".join(["policy-engine", *words])
        parts.append(f"{'###' if len(words) > 1 else '##'} {heading}\n\n```text\n{shown.output.strip()}\n```\n")
    return "\n".join(parts)


def commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the words of a command and of all commands below it."""
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from commands(found, (*words, name))


def notes(page: str) -> str:
    """Return what is written by hand on a code's page: all below its heading and two paragraphs."""
    return page.strip().split("\n\n", 3)[3].strip() if page.strip().count("\n\n") > 2 else ""


def _code_pages() -> dict[Path, str]:
    folder = DOCS / "reference" / "codes"
    codes = all_codes()
    lost = sorted(p.stem for p in folder.glob("PE*.md") if p.stem not in codes)
    if lost:
        sys.exit(f"there are pages on codes that the program does not have: {', '.join(lost)}")
    lint = {rule.code: rule.name for rule in RULES}
    index = [_CODES_INTRO]
    pages: dict[Path, str] = {}
    group = ""
    for code, meaning in codes.items():
        if code[:4] != group:
            group = code[:4]
            if group not in _GROUPS:
                sys.exit(f"the codes {group}xx have no heading in write_reference.py")
            index.append(f"\n## {_GROUPS[group]}\n\n| code | meaning |\n|---|---|\n")
        page = folder / f"{code}.md"
        sentence = meaning[0].upper() + meaning[1:].removesuffix(".") + "."
        anchor = re.sub(r"[^\w -]", "", _GROUPS[group].lower()).replace(" ", "-")
        by_hand = notes(page.read_text(encoding="utf-8")) if page.exists() else ""
        if code in lint:
            by_hand = f"[{lint[code]}](../../lint/{lint[code]}.md) has the reason, an example and the remedy."
        head = f"# {code}\n\n[{_GROUPS[group]}](../codes.md#{anchor})\n\n{sentence}\n"
        pages[page] = head + (f"\n{by_hand}\n" if by_hand else "")
        index.append(f"| [{code}](codes/{code}.md) | {sentence.removesuffix('.')} |\n")
    return {DOCS / "reference" / "codes.md": "".join(index), **pages}


def grammar_page() -> str:
    """Return the grammar in a notation for people: what only a parser needs is left out."""
    source = resources.files("policy_dsl.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
    rules: list[str] = []
    for line in source.splitlines():
        text = re.sub(r"\s*->\s*\w+\s*$", "", re.sub(r"^//.*", "", line)).rstrip()
        if text.startswith((" ", "\t")):
            rules[-1] += f" {text.strip()}"
        elif text and not text.startswith("%"):
            rules.append(text)
    syntax, shapes = [_GRAMMAR_INTRO, "\n```text\n"], ["\n## Words\n\n```text\n"]
    for rule in rules:
        name, _, body = rule.partition(":")
        name = name.lstrip("?").partition(".")[0]
        page = shapes if name.isupper() else syntax
        page.append(_rule_lines(name, re.sub(r"\s+", " ", body).strip()))
    return "".join([*syntax, "```\n", *shapes, "```\n"])


def _rule_lines(name: str, body: str) -> str:
    """Lay a rule out: on one line where it fits, else each of its alternatives on a line of its own."""
    if len(name) + len(body) < 110:
        return f"{name} = {body}\n"
    alternatives, depth, start = [], 0, 0
    quoted = re.sub(r'"[^"]*"', lambda found: "_" * len(found[0]), body)
    for at, sign in enumerate(quoted):
        depth += (sign in "([") - (sign in ")]")
        if sign == "|" and not depth:
            alternatives.append(body[start:at].strip())
            start = at + 1
    alternatives.append(body[start:].strip())
    return f"{name} =\n" + "".join(f"  {'|' if n else ' '} {text}\n" for n, text in enumerate(alternatives))


def vocabulary_page(schema: Schema) -> str:
    """Return the kinds, edges, types of evidence, words and roles of a schema, each as a table."""
    edges = (
        (_code(e.name), _any_of(e.sources), _any_of(e.targets), _code(e.reverse), e.flow) for e in schema.edges.values()
    )
    evidence = (
        (_code(e.name), _any_of(e.subjects), _fields(e.fields), e.description) for e in schema.evidence.values()
    )
    words = ((_code(e.name), ", ".join(map(_code, e.members))) for e in schema.enums.values())
    roles = ((_code(name), description) for name, description in schema.roles.items())
    return (
        "\n".join(
            [
                _VOCABULARY_INTRO,
                *_kinds(schema),
                _EDGES_INTRO,
                _table(
                    ("edge", "from", "to", "in reverse", "what it is"), ((*row, _FLOWS[flow]) for *row, flow in edges)
                ),
                "## Evidence\n",
                _table(("type", "about", "fields", "meaning"), evidence),
                "## Words\n",
                _table(("type", "words"), words),
                "## Roles\n",
                _table(("role", "who it is"), roles),
            ]
        ).rstrip()
        + "\n"
    )


def _kinds(schema: Schema) -> Iterator[str]:
    plain: list[tuple[str, ...]] = []
    for kind in schema.kinds.values():
        inherited = schema.kinds[kind.parent].attributes if kind.parent else {}
        own = [attribute for name, attribute in kind.attributes.items() if name not in inherited]
        if not own:
            plain.append((_code(kind.name), kind.parent or "", kind.description))
            continue
        yield f"### {kind.name}\n"
        if kind.description:
            yield f"{kind.description}.\n"
        yield _table(("attribute", "type", "meaning"), map(_attribute_row, own))
    yield "### Kinds without attributes of their own\n"
    yield _table(("kind", "is", "meaning"), plain)


def _attribute_row(attribute: Attribute) -> tuple[str, str, str]:
    default = "" if attribute.default is None else f", else `{str(attribute.default).lower()}`"
    return _code(attribute.name), f"{attribute.type}{default}", attribute.description


def _fields(fields: Mapping[str, Attribute]) -> str:
    return ", ".join(f"{_code(each.name)} ({each.type})" for each in fields.values())


def _any_of(kinds: tuple[str, ...]) -> str:
    return ", ".join(kinds) or "Thing"


def _code(name: str | None) -> str:
    return f"`{name}`" if name else ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    line = "|---" * len(heads) + "|\n"
    first, *others = ("| " + " | ".join(row) + " |\n" for row in (heads, *rows))
    return "".join((first, line, *others))


def main() -> None:
    """Write every file that is not up to date."""
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
