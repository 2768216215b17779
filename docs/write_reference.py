"""Writes the pages that repeat what the program says: `cli.md`, `reference/codes.md` and the files in `schemas/`.

    python docs/write_reference.py

`cli.md` and the schemas are replaced. In `codes.md` the headings and the first paragraph of each entry come from the
program; what stands below them is written by hand and kept. A test fails when a page is not up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from click.testing import CliRunner

from policy_engine.app.codes import all_codes
from policy_engine.cli.main import cli
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
| `NO_COLOR` | set to anything, the output has no colours |

Codes such as `PE0005` in messages are explained in [reference/codes.md](reference/codes.md), and by
`policy-engine explain PE0005`.
"""

_CODES_INTRO = """\
# Codes

Every message of the program carries a code, and a code keeps its meaning for ever. `policy-engine explain CODE` prints
the first sentence of an entry. Where an example is shown, it produces the code.
"""

_GROUPS = {
    "PE00": "Using the program",
    "PE10": "Policies: text and grammar",
    "PE20": "Policies: names",
    "PE21": "Policies: types",
    "PE31": "Inventory and other documents of facts",
    "PE32": "Evidence against the schema of the policies",
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
}


def generated() -> dict[Path, str]:
    """Return the text of every generated file, by its path."""
    codes = DOCS / "reference" / "codes.md"
    written = codes.read_text(encoding="utf-8") if codes.exists() else ""
    files = {DOCS / "cli.md": _cli_page(), codes: _codes_page(notes(written))}
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


def notes(page: str) -> dict[str, str]:
    """Return what is written by hand below each code's first paragraph."""
    entries: dict[str, list[str]] = {}
    lines: list[str] = []
    fenced = False
    for line in page.splitlines():
        fenced ^= line.startswith("```")
        if not fenced and line.startswith("### "):
            lines = entries.setdefault(line.removeprefix("### "), [])
        elif not fenced and line.startswith("## "):
            lines = []
        else:
            lines.append(line)
    return {code: "\n".join(text).strip().partition("\n\n")[2].strip() for code, text in entries.items()}


def _codes_page(kept: Mapping[str, str]) -> str:
    codes = all_codes()
    lost = sorted(code for code, note in kept.items() if note and code not in codes)
    if lost:
        sys.exit(f"codes.md has notes on codes that the program does not have: {', '.join(lost)}")
    parts = [_CODES_INTRO]
    group = ""
    for code, meaning in codes.items():
        if code[:4] != group:
            group = code[:4]
            if group not in _GROUPS:
                sys.exit(f"the codes {group}xx have no heading in write_reference.py")
            parts.append(f"## {_GROUPS[group]}\n")
        sentence = meaning[0].upper() + meaning[1:].removesuffix(".") + "."
        note = kept.get(code)
        parts.append(f"### {code}\n\n{sentence}\n" + (f"\n{note}\n" if note else ""))
    return "\n".join(parts)


def main() -> None:
    """Write every file that is not up to date."""
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
