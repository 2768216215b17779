"""The checklist of the evidence that a subject needs, as Markdown, CSV and JSON."""

import csv
import io

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
        ("To state in the inventory", [need for need in missing if not need.is_evidence], "[ ]"),
        ("Held", held, "[x]"),
    ):
        if needs:
            lines += ["", f"## {title}", "", *(f"- {box} {_entry(run, need)}" for need in needs)]
    if checklist.other:
        lines += [
            "",
            "## Not to be mended by evidence",
            "",
            "Something must be changed; `explain RULE SUBJECT --fix` says what.",
        ]
        lines += ["", *(f"- `{rule}` on {plain_markdown(shown(run.snapshot, node))}" for rule, node in checklist.other)]
    return "\n".join(lines) + "\n"


def _entry(run: Evaluation, need: Need) -> str:
    name = plain_markdown(shown(run.snapshot, need.node))
    about = f" ({plain_markdown(need.description)})" if need.description else ""
    signed = f"; signed as {' and '.join(need.roles)}" if need.roles else ""
    people = f"; ask {plain_markdown(', '.join(need.people))}" if need.people else ""
    for_what = f"; for {plain_markdown(', '.join(need.citations))}" if need.citations else ""
    return f"**{_due(need)}**: `{need.what}` of {name}{about}{signed}{people}{for_what}"


def _due(need: Need) -> str:
    day = need.due.date().isoformat() if need.due is not None else ""
    if need.state is NeedState.HELD:
        return f"until {day}" if day else "no end"
    return f"by {day}"


_COLUMNS = ("state", "due", "thing", "id", "what", "kind", "description", "signed by", "ask", "for", "rules")


def checklist_to_csv(checklist: Checklist) -> str:
    """Return the checklist as CSV (RFC 4180), one line for each entry."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for need in checklist.needs:
        writer.writerow(spreadsheet_cell(value) for value in _row(checklist.run, need))
    for rule, node in checklist.other:
        name = shown(checklist.run.snapshot, node)
        writer.writerow(
            spreadsheet_cell(value) for value in ("to change", "", name, node, "", "change", "", "", "", "", rule)
        )
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
        ", ".join(need.roles),
        ", ".join(need.people),
        ", ".join(need.citations),
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
        "to_change": [{"rule": rule, "subject": node} for rule, node in checklist.other],
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
        "roles": list(need.roles),
        "people": list(need.people),
        "rules": list(need.rules),
        "citations": list(need.citations),
    }
