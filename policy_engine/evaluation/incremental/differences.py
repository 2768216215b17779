"""Two worlds → the changes that make the first into the second.

>>> from policy_engine.lineage.graph import Fact, Node
>>> one = Snapshot.build([Node("scorer", "Model", {"version": Fact("3")})])
>>> other = Snapshot.build([Node("scorer", "Model", {"version": Fact("4")})])
>>> differences(one, other)
[SetFact(node='scorer', attribute='version', value='4')]
"""

from collections.abc import Iterable

from policy_engine.evaluation.incremental.changes import (
    AddWaiver,
    Contradict,
    LiveChange,
    SetKind,
    WithdrawEvidence,
    WithdrawWaiver,
)
from policy_engine.evaluation.supposition import AddEdge, AddEvidence, AddNode, RemoveEdge, RemoveNode, SetFact
from policy_engine.lineage.graph import Node, Snapshot, spelling
from policy_engine.model.evidence import Evidence, EvidenceSet, Waiver


def differences(before: Snapshot, after: Snapshot) -> list[LiveChange]:
    """Return the changes of lineage, in an order in which they can be made."""
    old, new = before.nodes, after.nodes
    edges = {edge.key for edge in before.edges}, {edge.key for edge in after.edges}
    # What hangs on a removed thing goes with it, so its edges are not named.
    gone = sorted(key for key in edges[0] - edges[1] if key[1] in new and key[2] in new)
    found: list[LiveChange] = [RemoveEdge(*key) for key in gone]
    found += [RemoveNode(name) for name in old if name not in new]
    for name, node in new.items():
        same = old.get(name)
        if same is None:
            found.append(AddNode(name, node.kind))
        facts = list(_facts(same or Node(name, node.kind), node))
        if same is not None and same.kind != node.kind:
            # What the new kind does not have is taken away before, what the old one did not have is stated after.
            taken = [fact for fact in facts if isinstance(fact, SetFact) and fact.value is None]
            found += [*taken, SetKind(name, node.kind)]
            facts = [fact for fact in facts if fact not in taken]
        found += facts
    return found + [AddEdge(*key) for key in sorted(edges[1] - edges[0])]


def _facts(before: Node, after: Node) -> Iterable[LiveChange]:
    for name in before.attributes.keys() | before.conflicts.keys() | after.attributes.keys() | after.conflicts.keys():
        was, now = before.attributes.get(name), after.attributes.get(name)
        if now is not None:
            if was is None or spelling(was.value) != spelling(now.value):
                yield SetFact(after.id, name, now.value)
        elif name in after.conflicts:
            if was is not None or name not in before.conflicts:
                yield Contradict(after.id, name)
        else:
            yield SetFact(after.id, name, None)


def differences_of_evidence(before: EvidenceSet, after: EvidenceSet, things: Iterable[str]) -> list[LiveChange]:
    """Return the changes of evidence; ``things`` are those that are still there, since others take theirs along."""
    there = set(things)
    old = {key: r for r in before.records() if (key := _identity(r))[0] in there}
    new = {_identity(r): r for r in after.records()}
    found: list[LiveChange] = [WithdrawEvidence(r) for key, r in old.items() if new.get(key) != r]
    return found + [AddEvidence(r) for key, r in new.items() if old.get(key) != r]


def differences_of_waivers(before: Iterable[Waiver], after: Iterable[Waiver]) -> list[LiveChange]:
    """Return the changes of accepted waivers."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    found: list[LiveChange] = [WithdrawWaiver(waiver) for waiver in old if waiver not in new]
    return found + [AddWaiver(waiver) for waiver in new if waiver not in old]


def _identity(record: Evidence) -> tuple[str, str, str, object, object]:
    return (record.subject, record.type, record.digest, record.issued, record.counts_from)
