"""Which controls of which frameworks one piece of evidence serves, as the rules of packs ask for it.

Nothing is declared for it: a type of evidence serves a paragraph when a rule that cites the paragraph asks for
evidence of the type.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from policy_dsl.typed.tree import Program
from policy_engine.evaluation.parts import patterns_of
from policy_engine.model.plain import plain_markdown, spreadsheet_cell
from policy_evidence.canonical import JsonValue, canonical_bytes

FORMAT = "urn:ai-policy-engine:crosswalk:v1"


@dataclass(frozen=True, slots=True, order=True)
class Served:
    """A paragraph, or control, of a framework, and the rule that cites it."""

    framework: str
    citation: str
    rule: str


@dataclass(frozen=True, slots=True)
class Row:
    """A type of evidence, what it is, who signs it by the rules, and all that it serves."""

    evidence: str
    description: str
    roles: tuple[str, ...]
    served: tuple[Served, ...]

    def of(self, framework: str) -> tuple[str, ...]:
        """Return the citations of one framework, each once."""
        return tuple(dict.fromkeys(s.citation for s in self.served if s.framework == framework))


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """The rows, those first that serve the most frameworks, and the frameworks by name."""

    frameworks: tuple[str, ...]
    rows: tuple[Row, ...]


def crosswalk(program: Program, *, evidence: Collection[str] = (), control: str = "") -> Crosswalk:
    """Return the crosswalk of a program's rules.

    ``evidence`` leaves only these types, ``control`` only types that serve a citation holding this text, in small
    letters or capitals; a number at its end is a whole number, so `Art. 5` is not found in `Art. 50`.
    """
    wanted = re.compile(re.escape(control) + (r"(?!\d)" if control[-1:].isdigit() else ""), re.IGNORECASE)
    framework_of = {pack.name: pack.framework or pack.name for pack in program.packs}
    served: dict[str, set[Served]] = {}
    roles: dict[str, set[str]] = {}
    for rule in program.rules.values():
        for pattern in patterns_of(program, rule):
            framework = framework_of[rule.pack]
            cited = rule.citations or (rule.title,)
            served.setdefault(pattern.type, set()).update(Served(framework, c, rule.name) for c in cited)
            roles.setdefault(pattern.type, set()).update([pattern.role] if pattern.role else [])
    rows = [
        Row(name, program.schema.evidence[name].description, tuple(sorted(roles[name])), tuple(sorted(found)))
        for name, found in served.items()
        if (not evidence or name in evidence) and any(wanted.search(s.citation) for s in found)
    ]
    rows.sort(key=lambda row: (-len({s.framework for s in row.served}), row.evidence))
    return Crosswalk(tuple(sorted({s.framework for row in rows for s in row.served})), tuple(rows))


def crosswalk_to_markdown(found: Crosswalk) -> str:
    """Return a table with a row for each type of evidence and a column for each framework."""
    if not found.rows:
        return "No rule of these packs asks for such evidence.\n"
    head = ["evidence", "signed by", *found.frameworks]
    lines = [_line(map(plain_markdown, head)), _line("---" for _ in head)]
    for row in found.rows:
        cells = [f"`{row.evidence}`", ", ".join(row.roles)]
        # Each by itself: a text of others is cut where it is too long, and a list must not be.
        cells += [", ".join(map(plain_markdown, row.of(name))) for name in found.frameworks]
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def crosswalk_to_csv(found: Crosswalk) -> str:
    """Return CSV (RFC 4180) with a line for each rule that asks for a type of evidence."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("evidence", "description", "signed by", "framework", "citation", "rule"))
    for row in found.rows:
        for served in row.served:
            cells = (
                row.evidence,
                row.description,
                ", ".join(row.roles),
                served.framework,
                served.citation,
                served.rule,
            )
            writer.writerow(map(spreadsheet_cell, cells))
    return out.getvalue()


def crosswalk_to_json(found: Crosswalk) -> bytes:
    """Return the crosswalk as canonical JSON; docs/adopting.md describes it."""
    document: JsonValue = {
        "format": FORMAT,
        "frameworks": list(found.frameworks),
        "evidence": [
            {
                "type": row.evidence,
                "description": row.description,
                "roles": list(row.roles),
                "serves": [{"framework": s.framework, "citation": s.citation, "rule": s.rule} for s in row.served],
            }
            for row in found.rows
        ],
    }
    return canonical_bytes(document)
