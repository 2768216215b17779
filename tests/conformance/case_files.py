"""Reads conformance cases: YAML whose scalars are all text, typed by the schema of the case and by nothing else."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.types import AttributeType, EnumType, SetType, Simple
from policy_dsl.values import Duration, Money, Value, duration_of
from policy_engine.lineage.graph import Edge, Fact, Node, Snapshot
from policy_engine.model.evidence import Evidence, EvidenceSet, Waiver

HERE = Path(__file__).parent
Entry = Mapping[str, Any]

CASE_KEYS = frozenset(
    {"name", "packs", "rule", "at", "overrides", "graph", "evidence", "waivers", "results", "diagnostics"}
)
RESULT_KEYS = frozenset(
    {
        "rule",
        "subject",
        "status",
        "reason",
        "missing",
        "valid_until",
        "paths",
        "evidence",
        "message",
        "remedy",
        "waiver",
    }
)


@dataclass(frozen=True, slots=True)
class Case:
    """One case of one file, with what the file shares between its cases put in."""

    file: str
    entry: Entry

    @property
    def id(self) -> str:
        return f"{self.file}: {self.entry['name']}"

    @property
    def packs(self) -> dict[str, bytes]:
        """The pack texts, named `1.policy` onwards."""
        texts = [_bytes(p) for p in self.entry.get("packs", ())]
        if "rule" in self.entry:
            texts.append(_case_pack(self.entry["rule"]).encode())
        return {f"{number}.policy": text for number, text in enumerate(texts, 1)}

    @property
    def at(self) -> datetime:
        return instant_of(self.entry["at"])


def cases() -> list[Case]:
    """Return every case of every file."""
    found = []
    for path in sorted(HERE.glob("*.yaml")):
        shared = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CBaseLoader)
        for own in shared.pop("cases"):
            entry = {**shared, **own, "packs": [*shared.get("packs", ()), *own.get("packs", ())]}
            assert entry.keys() <= CASE_KEYS, f"{path.name}: {own['name']}: unknown key in {sorted(entry)}"
            found.append(Case(path.stem, entry))
    return found


def _bytes(pack: Any) -> bytes:
    match pack:
        case {"file": name}:
            return (HERE / name).read_bytes()
        case {"base64": data}:
            return base64.b64decode(data)
        case _:
            return str(pack).encode()


def _case_pack(rule: str) -> str:
    body = "\n".join(f"    {line}" for line in rule.splitlines())
    return f"policy case\nuse world\nrule r\n{body}\n"


def instant_of(text: str) -> datetime:
    """Read a date as its first second, or an instant."""
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def value_of(written: Any, kind: AttributeType) -> Value:
    """Read a value as its declared type says."""
    match kind:
        case SetType(item):
            return frozenset(value_of(w, item) for w in written)  # type: ignore[misc]  # items are never sets
        case EnumType(members=members):
            assert written in members, written
            return str(written)
        case Simple.TEXT:
            return str(written)
        case Simple.INTEGER:
            return int(written)
        case Simple.NUMBER:
            return Decimal(written)
        case Simple.BOOLEAN:
            return {"true": True, "false": False}[written]
        case Simple.DATE:
            return date.fromisoformat(written)
        case Simple.INSTANT:
            return instant_of(written)
        case Simple.DURATION:
            total = Duration()
            words = iter(written.split())
            for amount in words:
                part = duration_of(int(amount), next(words))
                assert part is not None, written
                total += part
            return total
        case Simple.MONEY:
            amount, currency = written.split()
            return Money(Decimal(amount), currency)


def _values(written: Entry, attributes: Mapping[str, Attribute]) -> dict[str, Value]:
    return {name: value_of(value, attributes[name].type) for name, value in written.items()}


def snapshot_of(graph: Entry, schema: Schema) -> Snapshot:
    """Build the lineage graph of a case."""
    nodes = []
    for node_id, node in graph.get("nodes", {}).items():
        values = _values(node.get("attributes", {}), schema.kinds[node["kind"]].attributes)
        conflicts = dict.fromkeys(node.get("conflicts", ()), ())
        nodes.append(Node(node_id, node["kind"], {n: Fact(v) for n, v in values.items()}, conflicts))
    edges = [Edge(edge, source, target) for source, edge, target in graph.get("edges", ())]
    for edge in edges:
        assert edge.type in schema.edges, edge
    return Snapshot.build(nodes, edges)


def evidence_of(records: Iterable[Entry], schema: Schema) -> EvidenceSet:
    """Build the verified evidence of a case."""
    found = []
    for number, record in enumerate(records, 1):
        issued = instant_of(record["issued"])
        found.append(
            Evidence(
                digest=digest_of(record.get("id", str(number))),
                type=record["type"],
                subject=record["subject"],
                issued=issued,
                counts_from=issued,
                counts_until=instant_of(record["expires"]) if "expires" in record else None,
                fields=_values(record.get("fields", {}), schema.evidence[record["type"]].fields),
                signers=tuple(frozenset(roles) for roles in record.get("signers", ())),
            )
        )
    return EvidenceSet.of(found)


def waivers_of(entries: Iterable[Entry]) -> list[Waiver]:
    """Build the verified waivers of a case."""
    return [
        Waiver(
            digest=digest_of(entry.get("id", str(number))),
            rule=entry["rule"],
            subject=entry["subject"],
            reason=entry.get("reason", ""),
            approver="",
            ticket=None,
            issued=instant_of(entry["begins"]),
            counts_from=instant_of(entry["begins"]),
            counts_until=instant_of(entry["expires"]),
        )
        for number, entry in enumerate(entries, 1)
    ]


def digest_of(name: str) -> str:
    """Return the digest that stands for a named record."""
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
