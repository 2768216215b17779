"""What would follow from changes that nobody has made: written as text, checked by the schema, tried on a copy.

| text | change |
|---|---|
| `NODE` | the thing is gone, with its edges and the evidence about it |
| `NODE.attribute=value` | the attribute is stated; `null` takes its value away |
| `A edge B` | an edge is there, or no longer; either name of an edge will do |
| `sha256:…` or a file | the evidence is withdrawn |
| `pack.parameter=value` | the parameter has another value |

No file is touched, nothing is signed, and the result is no assessment.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from policy_dsl.diagnostics import did_you_mean
from policy_dsl.typed.schema import Schema
from policy_dsl.typed.tree import Program
from policy_dsl.typed.types import AttributeType, SetType, Simple
from policy_dsl.values import text
from policy_engine.app.evaluate import compile_policies, evaluate_snapshot
from policy_engine.app.impact import Comparison, compare
from policy_engine.app.inputs import Inputs
from policy_engine.evaluation.supposition import AddEdge, GraphChange, RemoveEdge, RemoveNode, SetFact, changed_snapshot
from policy_engine.lineage.binding import Misfit, describe, read_value
from policy_engine.lineage.graph import Snapshot
from policy_engine.lineage.load import load_estate
from policy_engine.lineage.names import nearest
from policy_engine.model.errors import InputError, fault
from policy_engine.model.plain import counted
from policy_evidence.canonical import digest

_ATTRIBUTE = re.compile(r"\.([A-Za-z_]\w*)=(.*)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_SHORTEST_DIGEST = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """Changes as somebody wrote them."""

    remove: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    add_edge: tuple[str, ...] = ()
    remove_edge: tuple[str, ...] = ()
    withdraw: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be changed."""
        return not any((self.remove, self.set, self.add_edge, self.remove_edge, self.withdraw, self.parameters))


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was changed, in words, what that takes along, and what follows."""

    changes: tuple[str, ...]
    effects: tuple[str, ...]
    comparison: Comparison


def simulate(inputs: Inputs, at: datetime, wanted: Wanted, *, strict: bool = False) -> Simulation:
    """Return what changes follow from others.

    Raises:
        InputError: a change cannot be made; all that cannot are listed.
    """
    if wanted.is_empty:
        raise fault("PE3609", "no change is named, so nothing can follow", help="see `policy-engine what-if --help`")
    program, diagnostics = compile_policies(inputs.packs.files, inputs.profile.parameters, inputs.cache)
    estate = load_estate(inputs.sources, program.schema, strict=strict)
    if estate.has_errors:
        raise InputError([f"{p}\n  help: {p.help}" if p.help else str(p) for p in estate.problems])
    before = evaluate_snapshot(inputs, at, program, estate.snapshot, estate.problems, diagnostics)
    reading = _Reading(program.schema, estate.snapshot)
    graph = reading.graph(wanted)
    evidence = reading.evidence(wanted.withdraw, inputs.evidence)
    parameters = reading.parameters(wanted.parameters, program)
    reading.finish()
    tried = replace(
        inputs, evidence=evidence, profile=replace(inputs.profile, parameters=inputs.profile.parameters | parameters)
    )
    changed_program = compile_policies(inputs.packs.files, tried.profile.parameters)[0] if parameters else program
    snapshot = changed_snapshot(estate.snapshot, graph)
    after = evaluate_snapshot(tried, at, changed_program, snapshot, estate.problems, diagnostics)
    lost = len(before.evidence.counted) - len(after.evidence.counted)
    reading.effects += [f"{counted(lost, 'piece')} of evidence and waivers no longer counts"] if lost > 0 else []
    return Simulation(tuple(reading.said), tuple(reading.effects), compare(before, after))


class _Reading:
    """Reads changes against a schema and a snapshot, and collects everything that is wrong with them."""

    def __init__(self, schema: Schema, snapshot: Snapshot) -> None:
        self.schema = schema
        self.snapshot = snapshot
        self.aliases = {alias: node.id for node in snapshot.nodes.values() for alias in node.aliases}
        self.said: list[str] = []
        self.effects: list[str] = []
        self.faults: list[str] = []

    def wrong(self, code: str, message: str, help: str | None = None) -> None:
        """Note something wrong."""
        self.faults.append(str(fault(code, message, help=help)))

    def finish(self) -> None:
        """Raise what was found wrong.

        Raises:
            InputError: something was.
        """
        if self.faults:
            raise InputError(self.faults)

    def graph(self, wanted: Wanted) -> list[GraphChange]:
        """Return the changes of the graph, in an order in which they can be made."""
        removed = {node for name in wanted.remove if (node := self.node(name)) is not None}
        facts = [fact for written in wanted.set if (fact := self.fact(written)) is not None]
        self._refuse_twice(facts)
        added = [edge for written in wanted.add_edge if (edge := self.edge(written)) is not None]
        ended = [edge for written in wanted.remove_edge if (edge := self.edge(written)) is not None]
        for key, there in (*((key, False) for key in added), *((key, True) for key in ended)):
            if (key in {edge.key for edge in self.snapshot.edges}) is not there:
                message = f"`{key[1]} {key[0]} {key[2]}` is {'not' if there else 'already'} there"
                self.wrong("PE3606", message)
        spoken = {f.node for f in facts} | {end for key in (*added, *ended) for end in key[1:]}
        for node in sorted(removed & spoken):
            self.wrong("PE3610", f"`{node}` is removed, and another change speaks of it")
        for key in sorted({*added} & {*ended}):
            self.wrong("PE3610", f"`{key[1]} {key[0]} {key[2]}` is both added and removed")
        self._say(sorted(removed), facts, added, ended)
        edges = [AddEdge(*key) for key in added] + [RemoveEdge(*key) for key in ended]
        return [*facts, *edges, *(RemoveNode(node) for node in sorted(removed))]

    def node(self, name: str) -> str | None:
        """Return the id of a thing named by its id or another of its names."""
        if name in self.snapshot.nodes:
            return name
        if name in self.aliases:
            return self.aliases[name]
        hint = nearest(name, self.snapshot.nodes)
        self.wrong("PE3601", f"there is no `{name}` in the inventory", help=hint)
        return None

    def fact(self, written: str) -> SetFact | None:
        """Read ``NODE.attribute=value``; an id may hold dots and equal signs, so the longest that there is counts."""
        names = [name for name in (*self.snapshot.nodes, *self.aliases) if written.startswith(f"{name}.")]
        matches = [(name, m) for name in names if (m := _ATTRIBUTE.fullmatch(written[len(name) :])) is not None]
        if not matches:
            place, equals, _ = written.partition("=")
            name, dot, _ = place.rpartition(".")
            if dot and equals and name not in self.snapshot.nodes and name not in self.aliases:
                self.node(name)
            else:
                hint = "write NODE.attribute=value, such as scorer.stage=production"
                self.wrong("PE3602", f"`{written}` does not set an attribute", help=hint)
            return None
        name, match = max(matches, key=lambda found: len(found[0]))
        return self._typed(self.aliases.get(name, name), match[1], match[2])

    def _typed(self, node: str, name: str, written: str) -> SetFact | None:
        kind = self.schema.kinds[self.snapshot.nodes[node].kind]
        attribute = kind.attributes.get(name)
        if attribute is None:
            hint = did_you_mean(name, kind.attributes)
            self.wrong("PE3604", f"a {kind.name} such as `{node}` has no `{name}`", help=hint)
            return None
        if written == "null":
            return SetFact(node, name, None)
        raw = _raw(written, attribute.type)
        value = read_value(raw, attribute.type)
        if isinstance(value, Misfit):
            message = f"`{name}` of `{node}` must be {value.expected}, and {describe(raw)} is not"
            self.wrong("PE3603", message, help=value.help)
            return None
        return SetFact(node, name, value)

    def _refuse_twice(self, facts: Iterable[SetFact]) -> None:
        seen: set[tuple[str, str]] = set()
        for fact in facts:
            if (fact.node, fact.attribute) in seen:
                self.wrong("PE3610", f"`{fact.attribute}` of `{fact.node}` is set twice")
            seen.add((fact.node, fact.attribute))

    def edge(self, written: str) -> tuple[str, str, str] | None:
        """Read ``A edge B`` and return type, source and target."""
        words = written.split()
        if len(words) != 3:
            hint = "write it as in 'scorer trained_on loans', in quotes"
            self.wrong("PE3602", f"`{written}` is not an edge", help=hint)
            return None
        found = self.schema.edge_named(words[1])
        ends = self.node(words[0]), self.node(words[2])
        if found is None:
            names = [n for e in self.schema.edges.values() for n in (e.name, e.reverse) if n]
            self.wrong("PE3605", f"there is no edge `{words[1]}`", help=did_you_mean(words[1], names))
            return None
        if ends[0] is None or ends[1] is None:
            return None
        edge, reverse = found
        source, target = (ends[1], ends[0]) if reverse else (ends[0], ends[1])
        kinds = self.snapshot.nodes[source].kind, self.snapshot.nodes[target].kind
        if not self.schema.connects(edge, *kinds):
            self.wrong("PE3605", f"`{edge.name}` does not lead from a {kinds[0]} to a {kinds[1]}")
            return None
        return edge.name, source, target

    def evidence(self, withdrawn: Iterable[str], files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the files of evidence that are left."""
        kept = dict(files)
        digests = {file: digest(data) for file, data in files.items()}
        for name in withdrawn:
            start = name if name.startswith("sha256:") else f"sha256:{name}"
            long = len(start) - len("sha256:") >= _SHORTEST_DIGEST
            found = [f for f in files if f == name or (long and digests[f].startswith(start))]
            if len({digests[file] for file in found}) != 1:
                message = f"{'several pieces' if found else 'no piece'} of evidence `{name}`"
                hint = "give the file as the profile finds it, or its digest as `policy-engine explain` shows it"
                self.wrong("PE3607", f"there {'are' if found else 'is'} {message}", help=hint)
                continue
            for file in found:
                kept.pop(file, None)
            self.said.append(f"withdraw the evidence {found[0]}")
        return kept

    def parameters(self, written: Iterable[str], program: Program) -> dict[str, str]:
        """Return the parameters that are given another value, by full name."""
        found: dict[str, str] = {}
        for one in written:
            name, equals, value = one.partition("=")
            known = [full for full in program.parameters if full == name or full.endswith(f".{name}")]
            if not equals or not value:
                hint = "write pack.parameter=value, such as bank.datasheet_age='180 days'"
                self.wrong("PE3602", f"`{one}` does not set a parameter", help=hint)
            elif len(known) != 1:
                what = f"several parameters are named `{name}`" if known else f"there is no parameter `{name}`"
                self.wrong("PE3608", what, help=", ".join(known) or did_you_mean(name, program.parameters))
            elif known[0] in found:
                self.wrong("PE3610", f"parameter `{known[0]}` is set twice")
            else:
                found[known[0]] = value
                was = text(program.parameters[known[0]])
                self.said.append(f"set the parameter {known[0]} to {value}, from {was}")
        return found

    def _say(
        self,
        removed: list[str],
        facts: Iterable[SetFact],
        added: Iterable[tuple[str, str, str]],
        ended: Iterable[tuple[str, str, str]],
    ) -> None:
        for fact in facts:
            was = self.snapshot.value(fact.node, fact.attribute)
            now = "not stated" if fact.value is None else text(fact.value)
            self.said.append(
                f"set {fact.attribute} of {fact.node} to {now}, from {'not stated' if was is None else text(was)}"
            )
        self.said += [f"add the edge {source} {edge} {target}" for edge, source, target in added]
        self.said += [f"remove the edge {source} {edge} {target}" for edge, source, target in ended]
        for node in removed:
            self.said.append(f"remove {node}")
            hanging = [edge for edge in self.snapshot.edges if node in (edge.source, edge.target)]
            self.effects += [f"{e.source} {e.type} {e.target} goes with {node}" for e in hanging]


def _raw(written: str, kind: AttributeType) -> object:
    """Return what a document would hold where somebody wrote this text."""
    if isinstance(kind, SetType):
        return [_raw(part.strip(), kind.item) for part in written.split(",")] if written else []
    if kind is Simple.BOOLEAN:
        return {"true": True, "false": False, "yes": True, "no": False}.get(written, written)
    if kind in {Simple.INTEGER, Simple.NUMBER} and _NUMBER.fullmatch(written):
        try:
            return Decimal(written) if "." in written else int(written)
        except InvalidOperation:
            return written
    return written
