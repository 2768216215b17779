"""Concrete syntax trees of conditions → groups: where a condition may be broken, and how far in.

- ``and`` and ``or`` begin a line, below the first operand; in a ``where`` they stand one step in from it.
- the ``where`` and the requirement of a quantifier stand one step in from it, parts of its range two steps.
- brackets stay as the author wrote them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from policy_dsl.format.lexemes import Lexeme
from policy_dsl.format.writer import INDENT, Group
from policy_dsl.syntax.lark_parser import Cst

_JUNCTIONS = frozenset({"conjunction", "disjunction"})
_OVER_MEMBERS = frozenset({"quantified", "count_of", "aggregated"})
_RANGES = frozenset({"lineage_range", "path_range"})
_LISTS = frozenset({"call", "set_literal", "names", "cites", "fields"})
_OPERATIONS = frozenset(
    {
        "comparison",
        "equal",
        "not_equal",
        "between",
        "in_set",
        "not_in_set",
        "contains",
        "starts_with",
        "like",
        "if_unknown",
        "plus",
        "minus",
    }
)
_CLAUSE_WORDS = frozenset(
    {"title", "version", "source", "framework", "basis", "applies", "cites", "severity", "for", "must", "may"}
    | {"except", "otherwise", "remedy", "given", "expect", "cases"}
)


@dataclass(frozen=True, slots=True)
class Places:
    """Finds the lexemes of trees."""

    lexemes: Sequence[Lexeme]
    starts: Mapping[int, int]
    ends: Mapping[int, int]

    @classmethod
    def of(cls, lexemes: Sequence[Lexeme]) -> "Places":
        """Index lexemes by the offsets where they start and end."""
        return cls(lexemes, {x.start: i for i, x in enumerate(lexemes)}, {x.end: i for i, x in enumerate(lexemes)})

    def first(self, tree: Cst) -> int:
        """Return the first lexeme of a tree."""
        return self.starts[tree.meta.start_pos]

    def last(self, tree: Cst) -> int:
        """Return the last lexeme of a tree."""
        return self.ends[tree.meta.end_pos]

    def can_start_line(self, i: int) -> bool:
        """Tell whether lexeme ``i`` keeps its meaning at the start of a line: a clause's word would open a clause."""
        word, following = self.lexemes[i].text, self.lexemes[i + 1]
        if word == "at":
            return following.text in {"least", "most"}
        return word not in _CLAUSE_WORDS or following.kind == "DOT"

    def groups(self, tree: Cst) -> tuple[Group, ...]:
        """Return the outermost groups of a tree, in order."""
        if tree.meta.empty:
            return ()
        kind = str(tree.data)
        if kind in _JUNCTIONS:
            return (self._junction(tree, 0),)
        if kind in _OVER_MEMBERS:
            return (self._over_members(tree),)
        if kind == "has_evidence":
            pattern = _trees(tree)[0]
            cut = self.first(pattern)
            return (Group(self.first(tree), self.last(tree), {cut: INDENT}, None, self.groups(pattern)),)
        if kind in {"evidence", "latest_field"}:
            return (self._evidence(tree),)
        if kind == "implication":
            condition, result = _trees(tree)
            return (self._cut(tree, {self.first(result) - 1: INDENT}, (condition, result)),)
        if kind in _OPERATIONS:
            operand = _trees(tree)[0]
            return (self._cut(tree, {self.last(operand) + 1: INDENT}, _trees(tree)),)
        if kind in _LISTS:
            return self._list(tree)
        return self.inner(_trees(tree))

    def inner(self, trees: Iterable[Cst]) -> tuple[Group, ...]:
        """Return the outermost groups of several trees."""
        return tuple(g for t in trees for g in self.groups(t))

    def clause(self, tree: Cst, step: int = 0) -> tuple[Group, ...]:
        """Return the groups of a clause's whole condition: one that mixes ``and`` with ``or``, or counts, is broken."""
        if tree.data not in _JUNCTIONS:
            return self.groups(tree)
        mixed = any(n.data in _JUNCTIONS or n.data in _OVER_MEMBERS for c in _trees(tree) for n in c.iter_subtrees())
        return (replace(self._junction(tree, step), always=mixed),)

    def after_word(self, tree: Cst) -> tuple[Group, ...]:
        """Return the groups of a condition after a word such as ``where``, one step in from its line if broken."""
        if tree.data in _JUNCTIONS:
            return (self._junction(tree, INDENT),)
        return self.groups(tree)

    def tight(self, tree: Cst) -> Iterable[int]:
        """Yield the lexemes in a tree that follow without a space: brackets of calls and sets, a minus' operand."""
        for node in tree.iter_subtrees():
            if node.meta.empty:
                continue
            first, last = self.starts[node.meta.start_pos], self.ends[node.meta.end_pos]
            if node.data in {"call", "define"} or (node.data == "negative" and first + 1 <= last):
                yield first + (2 if node.data == "define" else 1)
            elif node.data == "set_literal":
                yield first + 1
                yield last
            elif (node.data in {"fields", "node", "evidence_type"} and self.lexemes[last - 1].kind == "LBRACE") or (
                node.data == "path_step" and last > first
            ):
                yield last

    # --- forms ---------------------------------------------------------------------------------------

    def _cut(self, tree: Cst, breaks: dict[int, int], children: Sequence[Cst]) -> Group:
        return Group(self.first(tree), self.last(tree), breaks, None, self.inner(children))

    def _junction(self, tree: Cst, step: int) -> Group:
        anchor = None if step else self.first(tree)
        operands = _trees(tree)
        breaks = {self.first(o) - 1: step for o in operands[1:]}
        return Group(self.first(tree), self.last(tree), breaks, anchor, self.inner(operands))

    def _over_members(self, tree: Cst) -> Group:
        first = self.first(tree)
        breaks: dict[int, int] = {}
        children: list[Group] = []
        for part in _members(tree):
            at = self.first(part)
            if part.data in _RANGES:
                children.append(self._range(part))
            elif part.data.endswith("_body"):
                breaks[at] = INDENT
                (inner,) = _trees(part)
                children += self.after_word(inner)
            elif self.lexemes[at - 1].kind == "WHERE":
                breaks[at - 1] = INDENT
                children += self.after_word(part)
            else:
                children += self.groups(part)
        return Group(first, self.last(tree), breaks, None, tuple(children))

    def _range(self, tree: Cst) -> Group:
        clauses = [c for c in _trees(tree) if c.data in {"via", "within", "through"}]
        breaks = {self.first(c): 2 * INDENT for c in clauses}
        return Group(self.first(tree), self.last(tree), breaks, None, self.inner(_trees(tree)), fill=True)

    def _evidence(self, tree: Cst) -> Group:
        first = self.first(tree)
        breaks: dict[int, int] = {}
        children: list[Group] = []
        for part in _trees(tree):
            at = self.first(part)
            if part.data in {"signed_by", "signed_by_several", "not_older_than"}:
                breaks[at] = INDENT
                children += self.groups(part)
            else:
                breaks[at - 1] = INDENT
                children += self.after_word(part)
        return Group(first, self.last(tree), breaks, None, tuple(children), fill=True)

    def _list(self, tree: Cst) -> tuple[Group, ...]:
        """Return the group of a list with commas, whose further lines stand below its first item."""
        first, last = self.first(tree), self.last(tree)
        depth = 0
        inside = tree.data not in {"names", "cites"}
        anchor = first + {"names": 0, "cites": 1, "call": 2}.get(str(tree.data), 1)
        breaks: dict[int, int] = {}
        for i in range(first, last):
            kind = self.lexemes[i].kind
            depth += kind in {"LPAR", "LBRACE"}
            depth -= kind in {"RPAR", "RBRACE"}
            if kind == "COMMA" and depth == int(inside) and self.can_start_line(i + 1):
                breaks[i + 1] = 0
        if not breaks:
            return self.inner(_trees(tree))
        return (Group(first, last, breaks, anchor, self.inner(_trees(tree)), fill=True),)


def _trees(tree: Cst) -> list[Cst]:
    return [c for c in tree.children if isinstance(c, Cst) and not c.meta.empty]


def _members(tree: Cst) -> list[Cst]:
    """Return the parts of a form over members; ``members`` itself is only a wrapping."""
    return [p for c in _trees(tree) for p in (_trees(c) if c.data == "members" else [c])]
