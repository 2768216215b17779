"""What a rule looks at, through the definitions it uses: attributes, edges, evidence, kinds and the values it names."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from policy_dsl.typed import tree
from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.types import NodeType
from policy_dsl.values import Value


@dataclass(slots=True)
class Relevant:
    """Everything that could make a difference to some rules; the same rule in two versions, for example."""

    attributes: set[str] = field(default_factory=set)
    fields: dict[str, dict[str, Attribute]] = field(default_factory=lambda: defaultdict(dict))
    edges: dict[str, None] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    constants: dict[type, set[Any]] = field(default_factory=lambda: defaultdict(set))

    def constant(self, value: Value) -> None:
        """Note a value that a rule names."""
        for item in value if isinstance(value, frozenset) else (value,):
            self.constants[type(item)].add(item)


def relevant_to(rule: tree.Rule, first: tree.Program, second: tree.Program) -> Relevant:
    """Return what a rule looks at in either of two programs; edges that only one of them follows come first."""
    found = Relevant()
    ways: list[set[str]] = []
    for program in (first, second):
        edges: set[str] = set()
        for node in parts_of(program.rules[rule.name], program):
            _note(node, program, found, edges)
        ways.append(edges)
    ordered = (*sorted(ways[0] ^ ways[1]), *sorted(ways[0] | ways[1]))
    found.edges = dict.fromkeys(ordered)
    return found


def parts_of(rule: tree.Rule, program: tree.Program) -> Iterator[Any]:
    """Yield every node of the conditions of a rule and of the definitions that it uses."""
    waiting: list[Any] = [rule.subject, rule.where, rule.requirement, *(e.condition for e in rule.exemptions)]
    opened: set[str] = set()
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, tree.Invoke) and node.definition not in opened:
            opened.add(node.definition)
            waiting.append(program.definitions[node.definition].body)
        waiting += _children(node)


def _note(node: Any, program: tree.Program, found: Relevant, edges: set[str]) -> None:
    match node:
        case tree.Variable(_, _, NodeType(kind)):
            found.kinds.add(kind)
        case tree.Read(_, attribute):
            found.attributes.add(attribute.name)
        case tree.Constant(value):
            found.constant(value)
        case tree.ParameterValue(name):
            found.constant(program.parameters[name])
        case tree.LineageRange():
            edges |= node.edges
        case _ if isinstance(getattr(node, "edge", None), str):
            edges.add(node.edge)
    _note_evidence(node, program.schema, found)


def _note_evidence(node: Any, schema: Schema, found: Relevant) -> None:
    if isinstance(node, tree.LatestField) and node.attribute.name in schema.evidence[node.pattern.type].fields:
        found.fields[node.pattern.type][node.attribute.name] = node.attribute
    if isinstance(node, tree.HasEvidence):
        found.fields.setdefault(node.type, {})
        if node.role is not None:
            found.roles.add(node.role)
        waiting: list[Any] = [node.where]
        while waiting:
            part = waiting.pop()
            if isinstance(part, tree.HasEvidence):
                continue  # its `where` speaks of the fields of its own type
            if isinstance(part, tree.Field):
                found.fields[node.type][part.attribute.name] = part.attribute
            waiting += _children(part)


def _children(node: Any) -> Iterator[Any]:
    if is_dataclass(node) and not isinstance(node, Attribute):
        for f in fields(node):
            value = getattr(node, f.name)
            for part in value if isinstance(value, tuple) else (value,):
                if is_dataclass(part) and not isinstance(part, type):
                    yield part
