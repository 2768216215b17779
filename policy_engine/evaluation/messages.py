"""Messages of rules with their placeholders filled in."""

from collections.abc import Mapping

from policy_dsl.typed import tree
from policy_dsl.typed.types import NodeType
from policy_dsl.values import Value, text
from policy_engine.evaluation.world import View
from policy_engine.model.plain import one_line


def render(message: tree.Message | None, bindings: Mapping[int, str], world: View) -> str:
    """Write a message; a placeholder takes the first of its meanings that is bound, or says that none is.

    What it takes is text of whoever wrote the facts, so that it is kept to one printable line.
    """
    if message is None:
        return ""
    return "".join(
        part if isinstance(part, str) else one_line(_placeholder(part, bindings, world)) for part in message.parts
    )


def is_complete(message: tree.Message | None, bindings: Mapping[int, str]) -> bool:
    """Tell whether every placeholder of a message has something to stand for."""
    parts = message.parts if message is not None else ()
    return all(isinstance(part, str) or any(_stands(meaning, bindings) for meaning in part) for part in parts)


def _stands(meaning: tree.Expression, bindings: Mapping[int, str]) -> bool:
    match meaning:
        case tree.Variable(slot, _, NodeType()) | tree.Read(tree.Variable(slot), _):
            return slot in bindings
        case _:
            return isinstance(meaning, tree.ParameterValue)


def _placeholder(meanings: tuple[tree.Expression, ...], bindings: Mapping[int, str], world: View) -> str:
    for meaning in meanings:
        match meaning:
            case tree.ParameterValue(name):
                return text(world.program.parameters[name])
            case tree.Variable(slot, _, NodeType()) if slot in bindings:
                return display_name(world, bindings[slot])
            case tree.Read(variable, attribute) if variable.slot in bindings:
                node = bindings[variable.slot]
                value: Value | None = world.read(node, attribute)
                if value is not None:
                    return text(value)
                return (
                    node
                    if attribute.name == "name"
                    else f"[{attribute.name} of {node} {world.why_missing(node, attribute.name)}]"
                )
            case _:
                continue
    first = meanings[0]
    name = (
        first.variable.name
        if isinstance(first, tree.Read)
        else first.name
        if isinstance(first, tree.Variable)
        else "value"
    )
    return f"[no {name} was found]"


def display_name(world: View, node: str) -> str:
    """Return a thing's name, or its id when it has none."""
    name = world.snapshot.value(node, "name")
    return text(name) if name is not None else node
