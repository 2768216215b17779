"""The checklist of the evidence that a subject needs, as Markdown, CSV and JSON."""

import csv
import io
from collections.abc import Callable

from policy_dsl.values import format_instant
from policy_engine.app.evaluate import Evaluation
from policy_engine.app.evidence_needed import Checklist, Need, NeedState, shown
from policy_engine.model.plain import counted, plain_markdown, spreadsheet_cell
from policy_evidence.canonical import JsonValue, canonical_bytes

FORMAT = "urn:ai-policy-engine:evidence-needed:v1"


def checklist_to_markdown(checklist: Checklist) -> str:
    """Return the checklist as Markdown: boxes to tick, what is missing before what is held."""
    run = checklist.run
    subject = shown(run.snapshot, checklist.subject)
    missing = [need for need in checklist.needs if need.state is NeedState.MISSING]
    held = [need for need in checklist.needs if need.state is NeedState.HELD]
    things = counted(len(checklist.nodes), "thing")
    lines = [
        f"# Evidence needed for {plain_markdown(subject)}",
        "",
        f"As of {format_instant(run.at)}, for {things}: {len(missing)} to collect, {len(held)} held.",
    ]
    documents = [need for need in missing if need.is_evidence]
    for title, needs, box in (
        ("To obtain and have signed", documents, "[ ]"),
        ("To state or settle in the inventory", [need for need in missing if not need.is_evidence], "[ ]"),
        ("Held", held, "[x]"),
    ):
        if needs:
            lines += ["", f"## {title}", "", *(f"- {box} {_entry(run, need)}" for need in needs)]
    if checklist.to_change:
        lines += [
            "",
            "## Not to be mended by evidence",
            "",
            "Something must be changed; `explain RULE SUBJECT --fix` says what.",
            "",
        ]
        for each in checklist.to_change:
            name = plain_markdown(shown(run.snapshot, each.node))
            lines.append(f"- **by {each.due.date().isoformat()}**: `{each.rule}` on {name}")
    return "\n".join(lines) + "\n"


def _entry(run: Evaluation, need: Need) -> str:
    name = plain_markdown(shown(run.snapshot, need.node))
    about = f" ({plain_markdown(need.description)})" if need.description else ""
    stating = f"; stating {', '.join(f'`{field}`' for field in need.fields)}" if need.fields else ""
    signed = f"; signed as {' and '.join(need.roles)}" if need.roles else ""
    people = f"; ask {plain_markdown(', '.join(need.people))}" if need.people else ""
    for_what = f"; for {_cited(need, plain_markdown)}" if need.citations else ""
    return f"**{_due(need)}**: `{need.what}` of {name}{about}{stating}{signed}{people}{for_what}"


def _cited(need: Need, plain: Callable[[str], str]) -> str:
    """Return each framework with the paragraphs that are cited of it, every part made plain for itself."""
    frameworks = dict.fromkeys(framework for framework, _ in need.citations)
    return "; ".join(
        f"{plain(name)}: {', '.join(plain(c.removeprefix(f'{name} ')) for of, c in need.citations if of == name)}"
        for name in frameworks
    )


def _due(need: Need) -> str:
    day = need.due.date().isoformat() if need.due is not None else ""
    if need.state is NeedState.HELD:
        return f"until {day}" if day else "no end"
    return f"by {day}"


_COLUMNS = ("state", "due", "thing", "id", "what", "kind", "description", "fields", "signed by", "ask", "for", "rules")


def checklist_to_csv(checklist: Checklist) -> str:
    """Return the checklist as CSV (RFC 4180), one line for each entry."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for need in checklist.needs:
        writer.writerow(map(spreadsheet_cell, _row(checklist.run, need)))
    for each in checklist.to_change:
        name, day = shown(checklist.run.snapshot, each.node), each.due.date().isoformat()
        cells = ("to change", day, name, each.node, "", "change", "", "", "", "", "", each.rule)
        writer.writerow(map(spreadsheet_cell, cells))
    return out.getvalue()


def _row(run: Evaluation, need: Need) -> tuple[str, ...]:
    return (
        need.state.value,
        need.due.date().isoformat() if need.due is not None else "",
        shown(run.snapshot, need.node),
        need.node,
        need.what,
        "evidence" if need.is_evidence else "fact",
        need.description,
        ", ".join(need.fields),
        ", ".join(need.roles),
        ", ".join(need.people),
        _cited(need, str),
        ", ".join(need.rules),
    )


def checklist_to_json(checklist: Checklist) -> bytes:
    """Return the checklist as canonical JSON; docs/adopting.md describes it."""
    run = checklist.run
    document: JsonValue = {
        "format": FORMAT,
        "at": format_instant(run.at),
        "snapshot": run.snapshot.digest,
        "subject": checklist.subject,
        "things": list(checklist.nodes),
        "needs": [_need(run, need) for need in checklist.needs],
        "to_change": [
            {"due": format_instant(each.due), "rule": each.rule, "subject": each.node} for each in checklist.to_change
        ],
    }
    return canonical_bytes(document)


def _need(run: Evaluation, need: Need) -> JsonValue:
    return {
        "state": need.state.value,
        "due": format_instant(need.due) if need.due is not None else None,
        "subject": need.node,
        "name": shown(run.snapshot, need.node),
        "kind": "evidence" if need.is_evidence else "fact",
        "what": need.what,
        "description": need.description,
        "fields": list(need.fields),
        "roles": list(need.roles),
        "people": list(need.people),
        "rules": list(need.rules),
        "citations": [{"framework": framework, "citation": cited} for framework, cited in need.citations],
    }
