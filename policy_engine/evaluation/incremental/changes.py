"""Changes of facts, each made on live facts or refused.

Rules:

- a change says what is so from now on; one that cannot follow from what is known is refused, since whoever sends it
  knows another estate: removing what is not there, adding what is;
- a value is read by the type that the schema gives its attribute;
- what leaves takes along what hangs on it: a removed thing its edges and the evidence about it;
- a thing that becomes another kind keeps what the new kind can have; where it has more, the change is refused.

>>> SetKind("scorer", "Model").kind
'Model'
"""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from policy_dsl.diagnostics import did_you_mean
from policy_dsl.typed.schema import Schema
from policy_dsl.values import Value
from policy_engine.evaluation.incremental.dependencies import ATTRIBUTE, EVIDENCE, FROM, KIND, MEMBERS, TO, WAIVER
from policy_engine.evaluation.incremental.facts import CONTRADICTED, LiveFacts
from policy_engine.evaluation.supposition import AddEdge, AddEvidence, AddNode, RemoveEdge, RemoveNode, SetFact
from policy_engine.lineage.binding import Misfit, describe, read_value
from policy_engine.lineage.locators import NAMES, is_name
from policy_engine.model.errors import fault
from policy_engine.model.evidence import Evidence, EvidenceSet, Waiver


@dataclass(frozen=True, slots=True)
class SetKind:
    """A thing is of another kind."""

    node: str
    kind: str


@dataclass(frozen=True, slots=True)
class Contradict:
    """Sources contradict each other about an attribute, so that it has no value."""

    node: str
    attribute: str


@dataclass(frozen=True, slots=True)
class WithdrawEvidence:
    """A piece of evidence no longer counts."""

    record: Evidence

    def __hash__(self) -> int:
        return hash(self.record.digest)


@dataclass(frozen=True, slots=True)
class AddWaiver:
    """There is one more waiver that is accepted."""

    waiver: Waiver


@dataclass(frozen=True, slots=True)
class WithdrawWaiver:
    """A waiver is accepted no more."""

    waiver: Waiver


LiveChange = (
    AddNode
    | RemoveNode
    | SetKind
    | SetFact
    | Contradict
    | AddEdge
    | RemoveEdge
    | AddEvidence
    | WithdrawEvidence
    | AddWaiver
    | WithdrawWaiver
)


class ChangeMaker:
    """Makes changes on live facts, as the schema allows them."""

    def __init__(self, facts: LiveFacts, schema: Schema) -> None:
        self._facts = facts
        self._schema = schema

    def make_all(self, changes: Iterable[LiveChange]) -> None:
        """Make changes one after the other.

        Raises:
            InputError: one cannot be made; what was made is for the caller to undo.
        """
        for change in changes:
            self.make(change)

    def make(self, change: LiveChange) -> None:
        """Make a change.

        Raises:
            InputError: it cannot be made; what it had begun is for the caller to undo.
        """
        match change:
            case AddNode(node, kind):
                self._add_node(node, kind)
            case RemoveNode(node):
                self._remove_node(node)
            case SetKind(node, kind):
                self._set_kind(node, kind)
            case SetFact(node, attribute, value):
                self._state(node, attribute, value)
            case Contradict(node, attribute):
                self._attribute(node, attribute)
                self._facts.put((ATTRIBUTE, node, attribute), CONTRADICTED)
            case AddEdge(edge, source, target):
                self._add_edge(edge, source, target)
            case RemoveEdge(edge, source, target):
                self._remove_edge(edge, source, target)
            case AddEvidence(record):
                self._add_evidence(record)
            case WithdrawEvidence(record):
                key = (EVIDENCE, record.subject, record.type)
                self._facts.put(key, _without(self._facts.state(key), record, f"evidence {record.digest}"))
            case AddWaiver(waiver):
                self._add_waiver(waiver)
            case WithdrawWaiver(waiver):
                key = (WAIVER, waiver.rule, waiver.subject)
                self._facts.put(key, _without(self._facts.state(key), waiver, f"the waiver {waiver.digest}"))
            case _:
                assert_never(change)

    # --- things ----------------------------------------------------------------------------------------

    def _add_node(self, node: str, kind: str) -> None:
        if self._facts.state((KIND, node, "")) is not None:
            raise fault("PE3802", f"there is a `{node}` already")
        if not is_name(node):
            raise fault("PE3124", f"{describe(node)} cannot be the name of a thing", help=NAMES)
        self._known_kind(kind)
        self._facts.put((KIND, node, ""), kind)
        self._join(kind, node)

    def _remove_node(self, node: str) -> None:
        kind, facts = self._kind(node), self._facts
        for name in self._schema.kinds[kind].attributes:
            if facts.state((ATTRIBUTE, node, name)) is not None:
                facts.put((ATTRIBUTE, node, name), None)
        for edge in self._schema.edges:
            for target in facts.state((FROM, node, edge)):
                self._remove_edge(edge, node, target)
            for source in facts.state((TO, node, edge)):
                self._remove_edge(edge, source, node)
        for evidence in self._schema.evidence:
            if facts.state((EVIDENCE, node, evidence)):
                facts.put((EVIDENCE, node, evidence), ())
        facts.put((KIND, node, ""), None)
        self._leave(kind, node)

    def _set_kind(self, node: str, kind: str) -> None:
        before, facts = self._kind(node), self._facts
        self._known_kind(kind)
        known = self._schema.kinds[kind].attributes
        for name in self._schema.kinds[before].attributes:
            if name not in known and facts.state((ATTRIBUTE, node, name)) is not None:
                raise fault("PE3805", f"`{node}` states `{name}`, which a {kind} does not have")
        facts.put((KIND, node, ""), kind)
        self._leave(before, node)
        self._join(kind, node)
        for edge in self._schema.edges:
            for target in facts.state((FROM, node, edge)):
                self._connected(edge, node, target)
            for source in facts.state((TO, node, edge)):
                self._connected(edge, source, node)

    def _join(self, kind: str, node: str) -> None:
        members = list(self._facts.state((MEMBERS, kind, "")))
        insort(members, node)
        self._facts.put((MEMBERS, kind, ""), tuple(members))

    def _leave(self, kind: str, node: str) -> None:
        members = self._facts.state((MEMBERS, kind, ""))
        self._facts.put((MEMBERS, kind, ""), tuple(member for member in members if member != node))

    def _kind(self, node: str) -> str:
        kind: str | None = self._facts.state((KIND, node, ""))
        if kind is None:
            raise fault("PE3801", f"there is no `{node}`")
        return kind

    def _known_kind(self, kind: str) -> None:
        if kind not in self._schema.kinds:
            raise fault("PE3804", f"there is no kind `{kind}`", help=did_you_mean(kind, self._schema.kinds))

    # --- attributes ------------------------------------------------------------------------------------

    def _state(self, node: str, name: str, value: Value | None) -> None:
        attribute = self._attribute(node, name)
        read = read_value(value, attribute.type) if value is not None else None
        if isinstance(read, Misfit):
            message = f"`{name}` of `{node}` must be {read.expected}, and {describe(value)} is not"
            raise fault("PE3806", message, help=read.help)
        self._facts.put((ATTRIBUTE, node, name), read)

    def _attribute(self, node: str, name: str) -> Any:
        kind = self._schema.kinds[self._kind(node)]
        found = kind.attributes.get(name)
        if found is None:
            message = f"a {kind.name} such as `{node}` has no `{name}`"
            raise fault("PE3805", message, help=did_you_mean(name, kind.attributes))
        return found

    # --- edges -----------------------------------------------------------------------------------------

    def _add_edge(self, edge: str, source: str, target: str) -> None:
        self._known_edge(edge)
        self._connected(edge, source, target)
        if target in self._facts.state((FROM, source, edge)):
            raise fault("PE3802", f"`{source} {edge} {target}` is there already")
        for key, end in (((FROM, source, edge), target), ((TO, target, edge), source)):
            ends = list(self._facts.state(key))
            insort(ends, end)
            self._facts.put(key, tuple(ends))

    def _remove_edge(self, edge: str, source: str, target: str) -> None:
        self._known_edge(edge)
        said = f"`{source} {edge} {target}`"
        for key, end in (((FROM, source, edge), target), ((TO, target, edge), source)):
            self._facts.put(key, _without(self._facts.state(key), end, said))

    def _known_edge(self, edge: str) -> None:
        if edge not in self._schema.edges:
            raise fault("PE3804", f"there is no edge `{edge}`", help=did_you_mean(edge, self._schema.edges))

    def _connected(self, edge: str, source: str, target: str) -> None:
        kinds = self._kind(source), self._kind(target)
        if not self._schema.connects(self._schema.edges[edge], *kinds):
            raise fault("PE3807", f"`{edge}` does not lead from a {kinds[0]} to a {kinds[1]}")

    # --- evidence and waivers --------------------------------------------------------------------------

    def _add_evidence(self, record: Evidence) -> None:
        self._kind(record.subject)
        key = (EVIDENCE, record.subject, record.type)
        before = self._facts.state(key)
        after = EvidenceSet.of((*before, record)).about(record.subject, record.type)
        if len(after) == len(before):
            raise fault("PE3802", f"evidence {record.digest} on `{record.subject}` is there already")
        self._facts.put(key, after)

    def _add_waiver(self, waiver: Waiver) -> None:
        key = (WAIVER, waiver.rule, waiver.subject)
        before = self._facts.state(key)
        if waiver in before:
            raise fault("PE3802", f"the waiver {waiver.digest} is there already")
        self._facts.put(key, (*before, waiver))


def _without(members: tuple[Any, ...], member: object, said: str) -> tuple[Any, ...]:
    left = tuple(other for other in members if other != member)
    if len(left) == len(members):
        raise fault("PE3803", f"{said} is not there")
    return left
