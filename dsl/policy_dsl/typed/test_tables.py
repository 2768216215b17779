"""Tests with tables: each row becomes a test in which the row's values stand for the placeholders."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime

from policy_dsl.diagnostics import Diagnostics, did_you_mean
from policy_dsl.syntax import ast
from policy_dsl.values import text
from policy_dsl.words import RESULTS

Row = Mapping[str, ast.Expression | None]
"""Column → value; nothing where the table says `unknown`."""


def rows_of(test: ast.Test) -> Iterator[tuple[str, Row]]:
    """Yield the name and the row of each test that a test stands for; without a table there is one, with no row."""
    if test.cases is None:
        yield test.name.text, {}
        return
    names = [c.text for c in test.cases.columns]
    for cells in test.cases.rows:
        if len(cells) != len(names):
            continue  # reported by the parser
        row = dict(zip(names, cells, strict=True))
        shown = ", ".join(f"{name} {_shown(cell)}" for name, cell in row.items())
        yield f"{test.name.text} ({shown})", row


def fill(step: ast.TestStep, row: Row, diagnostics: Diagnostics) -> ast.TestStep:
    """Return a step with its placeholders replaced; one for an unknown value stays, and its reader leaves it out."""
    filling = _Filling(row, diagnostics)
    match step:
        case ast.At(ast.Placeholder() as placeholder, _):
            return replace(step, instant=filling.moment(placeholder))
        case ast.At():
            return step
        case ast.Given(facts, _):
            return replace(step, facts=tuple(filling.fact(f) for f in facts))
        case ast.Expect():
            return replace(step, result=filling.result(step.result))


class _Filling:
    def __init__(self, row: Row, diagnostics: Diagnostics) -> None:
        self.row = row
        self.diagnostics = diagnostics

    def fact(self, fact: ast.Fact) -> ast.Fact:
        match fact:
            case ast.NodeFact():
                return replace(fact, fields=tuple(self.field(f) for f in fact.fields))
            case ast.EvidenceFact():
                return replace(
                    fact,
                    fields=tuple(self.field(f) for f in fact.fields),
                    issued=self.optional_moment(fact.issued),
                    expires=self.optional_moment(fact.expires),
                )
            case ast.EdgeFact():
                return fact

    def field(self, field: ast.Field) -> ast.Field:
        if not isinstance(field.value, ast.Placeholder):
            return field
        cell = self.cell(field.value)
        return replace(field, value=cell) if cell is not None else field

    def optional_moment(
        self, moment: date | datetime | ast.Placeholder | None
    ) -> date | datetime | ast.Placeholder | None:
        return self.moment(moment) if isinstance(moment, ast.Placeholder) else moment

    def moment(self, placeholder: ast.Placeholder) -> date | datetime | ast.Placeholder:
        cell = self.cell(placeholder)
        if isinstance(cell, ast.Literal) and isinstance(cell.value, date):
            return cell.value
        if cell is not None:
            self.diagnostics.error("PE2109", f"column `{placeholder.name.text}` must hold dates", cell.span)
        return placeholder

    def result(self, result: ast.Identifier | ast.Placeholder) -> ast.Identifier | ast.Placeholder:
        if isinstance(result, ast.Identifier):
            return result
        cell = self.cell(result)
        if cell is None and result.name.text in self.row:
            return ast.Identifier("unknown", result.span)
        if isinstance(cell, ast.Name) and cell.name.text in RESULTS:
            return cell.name
        if cell is not None:
            message = f"column `{result.name.text}` must hold results"
            self.diagnostics.error("PE1012", message, cell.span, help=f"use {', '.join(RESULTS)}")
        return result

    def cell(self, placeholder: ast.Placeholder) -> ast.Expression | None:
        name = placeholder.name.text
        if name not in self.row:
            hint = did_you_mean(name, self.row)
            message = f"the test has no column `{name}`" if self.row else f"`<{name}>` needs a `cases` table"
            self.diagnostics.error("PE2004", message, placeholder.span, help=hint)
        return self.row.get(name)


def _shown(cell: ast.Expression | None) -> str:
    match cell:
        case None:
            return "unknown"
        case ast.Literal(value):
            return text(value)
        case ast.Name(name):
            return name.text
        case ast.Negative(operand):
            return f"-{_shown(operand)}"
        case _:
            return "?"
