"""What a run looks at: policies, lineage and verified evidence. An evaluator adds nothing to it."""

from dataclasses import dataclass

from policy_dsl.typed.schema import Attribute
from policy_dsl.typed.tree import Program, Rule
from policy_dsl.typed.types import NodeType
from policy_dsl.values import Value
from policy_engine.lineage.graph import Snapshot
from policy_engine.model.evidence import EvidenceSet


@dataclass(frozen=True, slots=True)
class World:
    """The inputs of an evaluation besides its instant."""

    program: Program
    snapshot: Snapshot
    evidence: EvidenceSet

    def subjects(self, rule: Rule) -> tuple[str, ...]:
        """Return the ids of the things that a rule is about, sorted."""
        assert isinstance(rule.subject.type, NodeType)  # noqa: S101 - the checker binds subjects to kinds
        return self.snapshot.ids_of(self.program.schema.kinds_below(rule.subject.type.kind))

    def read(self, node: str, attribute: Attribute) -> Value | None:
        """Return an attribute's value, or its default where nothing is asserted; nothing when contradicted."""
        found = self.snapshot.nodes[node]
        fact = found.attributes.get(attribute.name)
        if fact is not None:
            return fact.value
        return None if attribute.name in found.conflicts else attribute.default

    def why_missing(self, node: str, attribute: str) -> str:
        """Say why an attribute has no value."""
        return "contradicted" if attribute in self.snapshot.nodes[node].conflicts else "not stated"
