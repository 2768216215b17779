"""What a run looks at: policies, lineage and verified evidence. An evaluator adds nothing to it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from policy_dsl.records import dataclass
from policy_dsl.typed.types import NodeType

if TYPE_CHECKING:
    from policy_dsl.typed.schema import Attribute
    from policy_dsl.typed.tree import Program, Rule
    from policy_dsl.values import Value
    from policy_engine.lineage.graph import Snapshot
    from policy_engine.model.evidence import Evidence, EvidenceSet


class Lineage(Protocol):
    """What an evaluation asks of an estate, wherever its facts are kept; see ``Snapshot`` and ``MappedSnapshot``."""

    def __contains__(self, node_id: str) -> bool:
        """Tell whether there is a node of this id."""

    def kind(self, node_id: str) -> str:
        """Return the kind of a node."""

    def value(self, node_id: str, attribute: str) -> "Value | None":
        """Return what is known of an attribute, or nothing when it is absent or contradicted."""

    def is_contradicted(self, node_id: str, attribute: str) -> bool:
        """Tell whether sources contradict each other about an attribute."""

    def targets(self, node_id: str, edge_type: str) -> tuple[str, ...]:
        """Return the ids that edges of a type lead to from a node, sorted."""

    def sources_of(self, node_id: str, edge_type: str) -> tuple[str, ...]:
        """Return the ids that edges of a type come from to a node, sorted."""

    def onward(self, node_id: str, edge_types: tuple[str, ...], *, upstream: bool) -> list[tuple[str, tuple[str, ...]]]:
        """Return, for each of some edge types, sorted, that lead on from a node, where to, sorted."""

    def ids_of(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Return the ids of all nodes of exactly these kinds, sorted."""


class VerifiedEvidence(Protocol):
    """What an evaluation asks of evidence, wherever it is kept; see ``EvidenceSet`` and ``MappedEvidence``."""

    def about(self, subject: str, evidence_type: str) -> "tuple[Evidence, ...]":
        """Return the evidence of a type about a subject, in the order of issue."""


@dataclass(frozen=True, slots=True)
class View:
    """The inputs of an evaluation besides its instant, wherever they are kept."""

    program: "Program"
    snapshot: Lineage
    evidence: VerifiedEvidence

    def subjects(self, rule: "Rule") -> tuple[str, ...]:
        """Return the ids of the things that a rule is about, sorted."""
        assert isinstance(rule.subject.type, NodeType)  # noqa: S101 - the checker binds subjects to kinds
        return self.snapshot.ids_of(self.program.schema.kinds_below(rule.subject.type.kind))

    def read(self, node: str, attribute: "Attribute") -> "Value | None":
        """Return an attribute's value, or its default where nothing is asserted; nothing when contradicted."""
        value = self.snapshot.value(node, attribute.name)
        if value is not None:
            return value
        return None if self.snapshot.is_contradicted(node, attribute.name) else attribute.default

    def why_missing(self, node: str, attribute: str) -> str:
        """Say why an attribute has no value."""
        return "contradicted" if self.snapshot.is_contradicted(node, attribute) else "not stated"


@dataclass(frozen=True, slots=True)
class World(View):
    """Inputs that are all in memory: whoever looks at a whole estate needs these."""

    snapshot: "Snapshot"
    evidence: "EvidenceSet"
