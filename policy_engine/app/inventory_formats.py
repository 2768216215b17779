"""A stock as JSON and CSV, for machines and spreadsheets. ``docs/joining.md`` describes both."""

import csv
import io
import json
from dataclasses import asdict
from typing import Final

from policy_engine.app.inventory import Entry, Section, Stock
from policy_engine.model.plain import shown_json, spreadsheet_cell

FORMAT: Final = "urn:ai-policy-engine:inventory-report:v1"
COLUMNS: Final = ("kind", "id", "name", "owner", "stage", "registered", "sources", "aliases", "findings")


def stock_json(stock: Stock) -> str:
    """Return the whole stock as one JSON document."""
    document = {
        "format": FORMAT,
        "counts": {
            "things": len(stock.entries),
            "relations": stock.relations,
            "kinds": kinds_of(stock),
            "sections": {section.value: len(stock.of(section)) for section in Section},
        },
        "has_register": stock.has_register,
        "has_tools": stock.has_tools,
        "sources": [asdict(source) for source in stock.sources],
        "things": [asdict(entry) for entry in stock.entries],
        "findings": [
            {"section": f.section.value, "things": list(f.things), "message": f.message, "advice": f.advice}
            for f in stock.findings
        ],
        "vendors": [{"id": v.entry.id, "name": v.entry.name, "supplies": v.supplies} for v in stock.vendors],
        "problems": [
            {"code": p.code, "severity": p.severity.value, "message": p.message, "file": p.file, "line": p.line}
            for p in stock.problems
        ],
    }
    return shown_json(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def stock_csv(stock: Stock) -> str:
    """Return a row for each thing, with the sections that mention it."""
    mentioned: dict[str, list[str]] = {}
    for finding in stock.findings:
        for thing in finding.things:
            sections = mentioned.setdefault(thing, [])
            if finding.section.value not in sections:
                sections.append(finding.section.value)
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\r\n")  # RFC 4180 section 2
    rows.writerow(COLUMNS)
    for entry in stock.entries:
        rows.writerow([spreadsheet_cell(value) for value in _row(entry, mentioned.get(entry.id, []))])
    return written.getvalue()


def kinds_of(stock: Stock) -> dict[str, int]:
    """Return how many things there are of each kind, in order of the kinds."""
    counts: dict[str, int] = {}
    for entry in stock.entries:
        counts[entry.kind] = counts.get(entry.kind, 0) + 1
    return counts


def _row(entry: Entry, sections: list[str]) -> tuple[str, ...]:
    registered = "yes" if entry.registered else "no"
    lists = (" | ".join(names) for names in (entry.sources, entry.aliases, sections))
    return (entry.kind, entry.id, entry.name, entry.owner, entry.stage, registered, *lists)
