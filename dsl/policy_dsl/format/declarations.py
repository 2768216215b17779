"""Concrete syntax trees of declarations → lines, one function for each form.

A declaration begins at the left margin, its clauses one step in, what clauses hold two steps in. Columns are
aligned in headers, in the attributes of a kind, in runs of edges and roles, and in the facts of tests.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from policy_dsl.format.columns import Cell, Row, write_rows
from policy_dsl.format.expressions import Places
from policy_dsl.format.writer import INDENT, WIDTH, Group, Writer
from policy_dsl.syntax.lark_parser import Cst, Token

_DEEP = 2 * INDENT


class DeclarationWriter:
    """Writes the declarations of one file; ``last`` is always the last lexeme of the declaration at hand."""

    def __init__(self, writer: Writer, places: Places) -> None:
        self.out = writer
        self.at = places
        self.lexemes = places.lexemes
        self.forms: dict[str, Callable[[Cst], None]] = {
            "header": self.header,
            "use": self.line,
            "parameter": self.parameter,
            "define": self.define,
            "rule": self.rule,
            "test": self.test,
            "node": self.body,
            "evidence_type": self.body,
            "extend_node": self.body,
            "enum": self.enum,
            "extend_enum": self.line,
            "edge": self.line,
            "role": self.line,
        }

    def declaration(self, tree: Cst) -> None:
        """Write one declaration; its first line has been begun."""
        self.forms[str(tree.data)](tree)

    def line(self, tree: Cst) -> None:
        """Write a declaration of one line, broken only in its lists."""
        first, last = self.at.first(tree), self.at.last(tree)
        cut = last if self.lexemes[last].kind == "STRING" and last > first + 1 else None
        if cut is None:
            self.out.write(first, last, self.at.inner(_trees(tree)))
        else:
            self.out.write(first, last, [Group(first, last, {cut: INDENT}, None, self.at.inner(_trees(tree)))])

    # --- packs and rules ---------------------------------------------------------------------------

    def header(self, tree: Cst) -> None:
        """Write a header, its clauses in two columns."""
        clauses = _clauses(tree, but=("dotted",))
        first, last = self.at.first(tree), self.at.last(tree)
        self.out.put_all(first, self.at.first(clauses[0]) - 1 if clauses else last)
        width = max((len(self.lexemes[self.at.first(c)].text) for c in clauses), default=0)
        for clause in clauses:
            start = self.at.first(clause)
            self.out.start_line(start, INDENT)
            self.out.put(start)
            self.out.pad(INDENT + width + 1)
            self.out.put_all(start + 1, self.at.last(clause))

    def parameter(self, tree: Cst) -> None:
        """Write a parameter, its description below it."""
        first, last = self.at.first(tree), self.at.last(tree)
        described = tree.children[-1] is not None
        self.out.write(first, last - described, self.at.inner(_trees(tree)))
        if described:
            self.clause(last, last)

    def define(self, tree: Cst) -> None:
        """Write a definition: description and condition below its name."""
        first, last = self.at.first(tree), self.at.last(tree)
        *_, description, condition = tree.children
        word = self.at.first(condition) - 1  # the word `as`
        head = word - 1 - (description is not None)
        formals = [self.at.first(f) for f in _trees(tree)[:-1]]
        breaks = dict.fromkeys(formals[1:], 0)
        group = Group(first, head, breaks, formals[0], fill=True) if breaks else None
        self.out.write(first, head, [group] if group else [])
        if description is not None:
            self.clause(word - 1, word - 1)
        self.out.start_line(word, INDENT)
        self.out.put(word)
        self.out.count_from_here()
        self.out.write(word + 1, last, self.at.clause(condition))

    def rule(self, tree: Cst) -> None:
        """Write a rule, a line for each clause."""
        first = self.at.first(tree)
        clauses = _clauses(tree)
        titled = tree.children[1] is not None
        self.out.put_all(first, first + 1)
        if titled:
            self.clause(first + 2, first + 2)
        for clause in clauses:
            inner = clause.children[0] if clause.data == "rule_clause" else clause
            self.rule_clause(inner)

    def rule_clause(self, clause: Cst) -> None:
        """Write a clause of a rule."""
        first, last = self.at.first(clause), self.at.last(clause)
        trees = _trees(clause)
        match clause.data:
            case "must" | "must_not":
                self.requirement(first, trees[0])
            case "may_only_if":
                allowed, condition = trees
                self.requirement(first, allowed)
                self.requirement(self.at.last(allowed) + 1, condition)
            case "for_each" | "exception":
                groups = self.at.clause(trees[0], INDENT) if trees else ()
                self.clause(first, last, groups)
            case _:
                self.clause(first, last, self.at.groups(clause))

    def requirement(self, first: int, condition: Cst) -> None:
        """Write ``must``, ``must not``, ``may`` or ``only if``, and its condition one step further in."""
        start, last = self.at.first(condition), self.at.last(condition)
        self.out.start_line(first, INDENT)
        self.out.put_all(first, start - 1)
        if self.at.can_start_line(start):
            self.out.start_line(start, _DEEP, blanks=False)
        self.out.write(start, last, self.at.clause(condition))

    def clause(self, first: int, last: int, groups: Sequence[Group] = ()) -> None:
        """Write a clause on a line of its own."""
        self.out.start_line(first, INDENT)
        self.out.write(first, last, groups)

    # --- schema ------------------------------------------------------------------------------------

    def body(self, tree: Cst) -> None:
        """Write a kind or a type of evidence, its attributes in two columns."""
        first, last = self.at.first(tree), self.at.last(tree)
        attributes = [t for t in _trees(tree) if t.data == "attribute"]
        if not attributes:
            self.line(tree)
            return
        brace = self.at.first(attributes[0]) - 1
        texts = [i for i in range(first, brace) if self.lexemes[i].kind == "STRING"]
        head = Group(first, brace, dict.fromkeys(texts, INDENT), None, self.at.inner(_trees(tree)[:-1]))
        self.out.write(first, brace, [head] if texts else [])
        write_rows(self.out, [self.attribute(a) for a in attributes], INDENT)
        self.out.start_line(last, 0, blanks=False, comments_at=INDENT)
        self.out.put(last)

    def attribute(self, tree: Cst) -> Row:
        """Return an attribute as a row: what it is, and what it means."""
        first, last = self.at.first(tree), self.at.last(tree)
        if tree.children[-1] is None:
            return Row((Cell(first, last),))
        return Row((Cell(first, last - 1), Cell(last, last, gap=2)))

    def enum(self, tree: Cst) -> None:
        """Write an enumeration: on one line, or its members below its description."""
        first, last = self.at.first(tree), self.at.last(tree)
        names = _trees(tree)[-1]
        brace = self.at.first(names) - 1
        described = tree.children[1] is not None
        fits = not self.out.has_comment(first, last) and self.out.width(first, last) <= WIDTH
        self.out.put_all(first, brace - 1)
        if described or not fits:
            self.out.start_line(brace, INDENT, blanks=False)
        self.out.write(brace, last, self.at.groups(names))

    def edges(self, trees: Sequence[Cst]) -> list[Row]:
        """Return edges as rows: name, ends, reverse name, flow and description."""
        return [self._edge(t) for t in trees]

    def _edge(self, tree: Cst) -> Row:
        first, last = self.at.first(tree), self.at.last(tree)
        _, sources, targets, reverse, flow, description = tree.children
        marks = [first, self.at.first(sources) - 1]
        after = self.at.last(targets) + 1
        for part, size in ((reverse, 2), (flow, 1), (description, 1)):
            if part is not None:
                marks.append(after)
                after += size
        bounds = [*marks, last + 1]
        columns = [0, 1] + [c for c, p in ((2, reverse), (3, flow), (4, description)) if p is not None]
        cells = tuple(
            Cell(a, b - 1, column=c, gap=2 if c > 1 else 1, cut=self.at.first(targets) - 1 if c == 1 else None)
            for (a, b), c in zip(pairwise(bounds), columns, strict=True)
        )
        return Row(cells)

    def roles(self, trees: Sequence[Cst]) -> list[Row]:
        """Return roles as rows: name and description."""
        return [self._role(self.at.first(t), self.at.last(t)) for t in trees]

    def _role(self, first: int, last: int) -> Row:
        described = last > first + 1
        return Row((Cell(first, first + 1), *((Cell(last, last, gap=2),) if described else ())))

    # --- tests ---------------------------------------------------------------------------------------

    def test(self, tree: Cst) -> None:
        """Write a test: its steps, the facts of a step one step further in, tables in columns."""
        first = self.at.first(tree)
        self.out.put_all(first, first + 1)
        for step in _trees(tree):
            start, last = self.at.first(step), self.at.last(step)
            match step.data:
                case "given":
                    facts = _trees(step)
                    self.clause(start, self.at.first(facts[0]) - 1)
                    write_rows(self.out, [self.fact(f) for f in facts], _DEEP)
                case "cases":
                    self.clause(start, start)
                    write_rows(self.out, self.table(step), _DEEP)
                case "expect":
                    cuts = {i: INDENT for i in range(start, last) if self.lexemes[i].kind == "BECAUSE"}
                    self.clause(start, last, [Group(start, last, cuts, None, self.at.inner(_trees(step)))])
                case _:
                    self.clause(start, last)

    def fact(self, tree: Cst) -> Row:
        """Return a fact as a row: kind, name and fields of a thing; anything else is one cell."""
        first, last = self.at.first(tree), self.at.last(tree)
        groups = self.at.inner(_trees(tree))
        if tree.data != "node_fact":
            words = ("ISSUED", "EXPIRES", "SIGNED", "LBRACE")
            # Up to the brace of the fields: sets among them have braces of their own.
            end = next((i for i in range(first, last) if self.lexemes[i].kind == "LBRACE"), last)
            cuts = {i: INDENT for i in range(first, end + 1) if self.lexemes[i].kind in words}
            fact = Group(first, last, cuts, None, groups, fill=True)
            return Row((Cell(first, last, groups=(fact,) if cuts else ()),), aligned=False)
        braces = (Cell(first + 2, last, groups=groups),) if last > first + 1 else ()
        return Row((Cell(first, first), Cell(first + 1, first + 1), *braces))

    def table(self, tree: Cst) -> list[Row]:
        """Return the header and the lines of a table, as the author divided them."""
        cells = [
            (self.at.first(c), self.at.last(c)) if isinstance(c, Cst) else (self.at.starts[c.start_pos or 0],) * 2
            for c in tree.children
            if (isinstance(c, Cst) and not c.meta.empty) or (isinstance(c, Token) and c.type != "NL")
        ]
        rows: list[list[Cell]] = []
        for first, last in cells:
            if self.lexemes[first].first or not rows:
                rows.append([])
            rows[-1].append(Cell(first, last, column=len(rows[-1]), gap=2 if rows[-1] else 1))
        return [Row(tuple(r)) for r in rows]


def _trees(tree: Cst) -> list[Cst]:
    return [c for c in tree.children if isinstance(c, Cst) and not c.meta.empty]


def _clauses(tree: Cst, but: tuple[str, ...] = ()) -> list[Any]:
    return [c for c in _trees(tree) if c.data not in but]
