"""What each name in a policy means: noted by the checker where it looks a name up, read by editor tools.

The checker hands every name that it resolves to the recorder of the run. Nothing is resolved a second time,
so hover, rename and evaluation can never disagree about a name. A meaning is a key, not a tree: tools find
the declaration of a key in the syntax tree.

>>> found = References()
>>> found.note(Span("a.policy", 9, 15), Sort.KIND, "System")
>>> found.uses()[0].meaning
Meaning(sort=<Sort.KIND: 'kind'>, name='System', owner='', declared=None)
"""

from dataclasses import dataclass, field
from enum import StrEnum

from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed.types import EnumType, SetType, Type


class Sort(StrEnum):
    """What kind of declaration a name means."""

    PACK = "pack"
    KIND = "kind"
    ATTRIBUTE = "attribute"
    EDGE = "edge"
    EVIDENCE = "evidence type"
    FIELD = "field"
    ROLE = "role"
    ENUM = "enumeration"
    MEMBER = "member"
    PARAMETER = "parameter"
    DEFINITION = "definition"
    RULE = "rule"
    VARIABLE = "variable"
    THING = "thing of a test"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A declaration by key.

    ``owner`` is the kind of an attribute, the evidence type of a field, the enumeration of a member, or the
    pack of a parameter, definition or rule. Variables and things of tests are known by where they are
    ``declared``; one that only a kind introduces is declared by the name of that kind.
    """

    sort: Sort
    name: str
    owner: str = ""
    declared: Span | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names something, and what it names."""

    span: Span
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Local:
    """A variable or a thing of a test, with the text of its type."""

    meaning: Meaning
    type: str


@dataclass(slots=True)
class References:
    """Collects the uses and the local declarations of a run."""

    _noted: list[tuple[Span, Sort, str, str, Span | None]] = field(default_factory=list)
    _locals: dict[Span, Local] = field(default_factory=dict)

    def note(self, span: Span, sort: Sort, name: str, owner: str = "", declared: Span | None = None) -> None:
        """Note what the name at a place means."""
        self._noted.append((span, sort, name, owner, declared))

    def bind(self, span: Span, sort: Sort, name: str, type: object) -> None:
        """Note the declaration of a variable or of a thing of a test."""
        self._locals[span] = Local(Meaning(sort, name, declared=span), str(type))

    def note_constant(self, expression: ast.Expression, expected: Type) -> None:
        """Note the members of an enumeration in a value that is written out."""
        item = expected.item if isinstance(expected, SetType) else expected
        written = expression.items if isinstance(expression, ast.SetLiteral) else (expression,)
        for part in written:
            if isinstance(part, ast.Name) and isinstance(item, EnumType) and part.name.text in item.members:
                self.note(part.name.span, Sort.MEMBER, part.name.text, item.name)

    def uses(self) -> tuple[Use, ...]:
        """Return what was noted, in the order of the check, each use once."""
        noted = dict.fromkeys(self._noted)
        return tuple(Use(span, Meaning(sort, name, owner, declared)) for span, sort, name, owner, declared in noted)

    def locals(self) -> tuple[Local, ...]:
        """Return the variables and the things of tests."""
        return tuple(self._locals.values())
