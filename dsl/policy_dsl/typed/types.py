"""The types of the language."""

from enum import StrEnum

from policy_dsl.records import dataclass


class Simple(StrEnum):
    """A type without parts."""

    TEXT = "Text"
    INTEGER = "Integer"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    DATE = "Date"
    INSTANT = "Instant"
    DURATION = "Duration"
    MONEY = "Money"


@dataclass(frozen=True, slots=True)
class EnumType:
    """One of a fixed list of words."""

    name: str
    members: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class SetType:
    """A set of values of one type."""

    item: "Simple | EnumType"

    def __str__(self) -> str:
        return f"set of {self.item}"


@dataclass(frozen=True, slots=True)
class NodeType:
    """A thing of the lineage graph, of the named kind or a kind below it."""

    kind: str

    def __str__(self) -> str:
        return self.kind


AttributeType = Simple | EnumType | SetType
Type = AttributeType | NodeType

ORDERED = frozenset({Simple.INTEGER, Simple.NUMBER, Simple.DATE, Simple.INSTANT, Simple.MONEY})
"""Types whose values have an order."""


def comparable(left: Type, right: Type) -> bool:
    """Tell whether two types have values that can be equal or ordered against each other."""
    numbers = {Simple.INTEGER, Simple.NUMBER}
    times = {Simple.DATE, Simple.INSTANT}
    return left == right or {left, right} <= numbers or {left, right} <= times
