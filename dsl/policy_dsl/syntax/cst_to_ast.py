"""lark tree → syntax tree, one function for each form of declaration.

Clauses of a declaration may stand in any order; a clause that is missing or stands twice is reported here.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from policy_dsl.diagnostics import Diagnostics, Label, did_you_mean
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax import ast
from policy_dsl.syntax.expressions import Expressions
from policy_dsl.syntax.lark_parser import Cst, Token
from policy_dsl.words import BASES, RESULTS, SEVERITIES

Node = Any  # a lark tree, a token or the None of an absent optional part


def declaration_from_tree(
    tree: Cst, source: SourceFile, diagnostics: Diagnostics, *, damaged: bool = False
) -> ast.Declaration | None:
    """Build the declaration of a tree, or report why there is none.

    A damaged declaration has lost a clause to a mistake that is already reported, so a missing clause is no news.
    """
    return _Builder(source, diagnostics, damaged=damaged).declaration(tree.children[0])


class _Builder(Expressions):
    def __init__(self, source: SourceFile, diagnostics: Diagnostics, *, damaged: bool) -> None:
        super().__init__(source, diagnostics)
        self.damaged = damaged

    def declaration(self, tree: Cst) -> ast.Declaration | None:
        forms: dict[str, Callable[[Cst, Span], ast.Declaration | None]] = {
            "header": self.header,
            "use": self.use,
            "parameter": self.parameter,
            "define": self.define,
            "rule": self.rule,
            "node": self.node,
            "edge": self.edge,
            "evidence_type": self.evidence_type,
            "enum": self.enum,
            "role": self.role,
            "extend_node": self.extend_node,
            "extend_enum": self.extend_enum,
            "test": self.test,
        }
        return forms[tree.data](tree, self.span(tree))

    # --- packs -------------------------------------------------------------------------------------

    def header(self, tree: Cst, span: Span) -> ast.Header:
        name, *clauses = tree.children
        found = self.clauses(clauses)
        basis = self.name_of(found.get("basis"))
        self.check_word(basis, BASES, "basis")
        return ast.Header(
            self.dotted(name),
            self.text_of(found.get("title")),
            self.text_of(found.get("version")),
            self.text_of(found.get("source")),
            self.text_of(found.get("framework")),
            basis,
            self.applies(found.get("applies")),
            span,
        )

    def use(self, tree: Cst, span: Span) -> ast.Use:
        pack, version, alias = tree.children
        return ast.Use(self.dotted(pack), self.optional_text(version), self.optional_name(alias), span)

    def parameter(self, tree: Cst, span: Span) -> ast.Parameter:
        name, type_name, default, description = tree.children
        return ast.Parameter(
            self.name(name), self.type_name(type_name), self.expression(default), self.optional_text(description), span
        )

    def define(self, tree: Cst, span: Span) -> ast.Define:
        name, *formals, description, body = tree.children
        return ast.Define(
            self.name(name),
            tuple(
                ast.Formal(self.name(f.children[0]), self.type_name(f.children[1])) for f in formals if f is not None
            ),
            self.optional_text(description),
            self.expression(body),
            span,
        )

    # --- rules -------------------------------------------------------------------------------------

    def rule(self, tree: Cst, span: Span) -> ast.Rule | None:
        name_token, title, *clauses = tree.children
        name = self.name(name_token)
        found = self.clauses(clauses, repeatable=("exception",), same={"must_not": "must", "may_only_if": "must"})
        for_each = found.get("for_each")
        requirement = found.get("must")
        for clause, word in ((for_each, "for each"), (requirement, "must")):
            if clause is None and not self.damaged:
                self.diagnostics.error("PE1005", f"rule `{name.text}` has no `{word}` clause", name.span)
        if for_each is None or requirement is None:
            return None
        severity = self.name_of(found.get("severity"))
        self.check_word(severity, SEVERITIES, "severity")
        basis = self.name_of(found.get("basis"))
        self.check_word(basis, BASES, "basis")
        return ast.Rule(
            name=name,
            title=self.optional_text(title),
            cites=tuple(self.text(c) for c in found["cites"].children) if "cites" in found else (),
            severity=severity,
            basis=basis,
            applies=self.applies(found.get("applies")),
            for_each=self.for_each(for_each),
            requirement=self.requirement(requirement),
            exceptions=tuple(self.exception(c) for c in clauses if isinstance(c, Cst) and c.data == "exception"),
            otherwise=self.text_of(found.get("otherwise")),
            remedy=self.text_of(found.get("remedy")),
            span=span,
        )

    def for_each(self, tree: Cst) -> ast.ForEach:
        kind, binder, where = tree.children
        return ast.ForEach(
            self.name(kind), self.optional_name(binder), self.optional_expression(where), self.span(tree)
        )

    def requirement(self, tree: Cst) -> ast.Expression:
        span = self.span(tree)
        parts = [self.expression(c) for c in tree.children if isinstance(c, Cst)]
        if tree.data == "may_only_if":
            return ast.Binary(ast.BinaryOperator.IF_THEN, parts[0], parts[1], span)
        return ast.Not(parts[0], span) if tree.data == "must_not" else parts[0]

    def exception(self, tree: Cst) -> ast.Except:
        label, condition = tree.children
        return ast.Except(self.name(label), self.expression(condition), self.span(tree))

    def applies(self, tree: Cst | None) -> ast.Applies | None:
        if tree is None:
            return None
        inner = tree.children[0] if tree.data != "applies" else tree
        start, end = inner.children
        span = self.span(inner)
        first, last = self.date(start), self.date(end) if end is not None else None
        if last is not None and _instant(last) <= _instant(first):
            self.diagnostics.error("PE2111", "the interval ends before it begins", span)
        return ast.Applies(first, last, span)

    # --- schema ------------------------------------------------------------------------------------

    def node(self, tree: Cst, span: Span) -> ast.NodeDeclaration:
        name, parent, description, *attributes = tree.children
        return ast.NodeDeclaration(
            self.name(name),
            self.optional_name(parent),
            self.optional_text(description),
            self.attributes(attributes),
            span,
        )

    def edge(self, tree: Cst, span: Span) -> ast.EdgeDeclaration:
        name, sources, targets, reverse, flow, description = tree.children
        return ast.EdgeDeclaration(
            self.name(name),
            self.names(sources),
            self.names(targets),
            self.optional_name(reverse),
            flow.data if flow is not None else "none",
            self.optional_text(description),
            span,
        )

    def evidence_type(self, tree: Cst, span: Span) -> ast.EvidenceDeclaration:
        name, subjects, description, *fields = tree.children
        return ast.EvidenceDeclaration(
            self.name(name),
            self.names(subjects) if subjects is not None else (),
            self.optional_text(description),
            self.attributes(fields),
            span,
        )

    def enum(self, tree: Cst, span: Span) -> ast.EnumDeclaration:
        name, description, members = tree.children
        return ast.EnumDeclaration(self.name(name), self.optional_text(description), self.names(members), span)

    def role(self, tree: Cst, span: Span) -> ast.RoleDeclaration:
        name, description = tree.children
        return ast.RoleDeclaration(self.name(name), self.optional_text(description), span)

    def extend_node(self, tree: Cst, span: Span) -> ast.ExtendNode:
        name, *attributes = tree.children
        return ast.ExtendNode(self.name(name), self.attributes(attributes), span)

    def extend_enum(self, tree: Cst, span: Span) -> ast.ExtendEnum:
        name, members = tree.children
        return ast.ExtendEnum(self.name(name), self.names(members), span)

    def attributes(self, trees: list[Node]) -> tuple[ast.AttributeDeclaration, ...]:
        return tuple(
            ast.AttributeDeclaration(
                self.name(name),
                self.type_name(type_name),
                self.optional_expression(default),
                self.optional_text(description),
            )
            for name, type_name, default, description in (t.children for t in trees if t is not None)
        )

    # --- tests -------------------------------------------------------------------------------------

    def test(self, tree: Cst, span: Span) -> ast.Test:
        name, *clauses = tree.children
        tables = [c for c in clauses if c.data == "cases"]
        for extra in tables[1:]:
            self.diagnostics.error("PE1006", "the `cases` clause stands twice", self.span(extra))
        steps = tuple(self.step(c) for c in clauses if c.data != "cases")
        return ast.Test(self.text(name), steps, self.cases(tables[0]) if tables else None, span)

    def cases(self, tree: Cst) -> ast.Cases:
        """Build a table; a line break stands before its header and before each row."""
        lines: list[list[Any]] = []
        for part in tree.children:
            if isinstance(part, Token) and part.type == "NL":
                lines.append([])
            else:
                lines[-1].append(part)
        header, *rows = lines
        columns = tuple(self.name(c) for c in header)
        for row in rows:
            if len(row) != len(columns):
                place = self.span(row[0]) if isinstance(row[0], Cst) else self.token_span(row[0])
                message = f"the row has {len(row)} values, and the table {len(columns)} columns"
                self.diagnostics.error("PE1013", message, place)
        return ast.Cases(columns, tuple(tuple(self.cell(c) for c in row) for row in rows), self.span(tree))

    def cell(self, tree: Cst) -> ast.Expression | None:
        return None if tree.data == "absent" else self.expression(tree)

    def moment(self, tree: Cst | Token) -> "date | datetime | ast.Placeholder":
        return self.placeholder(tree) if isinstance(tree, Token) else self.date(tree)

    def placeholder(self, token: Token) -> ast.Placeholder:
        span = self.token_span(token)
        return ast.Placeholder(ast.Identifier(str(token)[1:-1], span), span)

    def step(self, tree: Cst) -> ast.TestStep:
        span = self.span(tree)
        match tree.data:
            case "at":
                return ast.At(self.moment(tree.children[0]), span)
            case "given":
                facts = [c for c in tree.children if isinstance(c, Cst)]
                return ast.Given(tuple(self.fact(f) for f in facts), span)
            case _:
                result, rule, subject, because = tree.children
                word = self.result(result, span)
                if isinstance(word, ast.Identifier):
                    self.check_word(word, RESULTS, "result")
                return ast.Expect(
                    word,
                    self.dotted(rule),
                    self.name(subject),
                    self.names(because) if because is not None else (),
                    span,
                )

    def result(self, tree: Cst | Token, span: Span) -> ast.Identifier | ast.Placeholder:
        if isinstance(tree, Cst):
            return ast.Identifier("unknown", self.span(tree, span))
        return self.placeholder(tree) if tree.type == "PLACEHOLDER" else self.name(tree)

    def fact(self, tree: Cst) -> ast.Fact:
        span = self.span(tree)
        parts = [p for p in tree.children if not (isinstance(p, Token) and p.type == "NL")]
        match tree.data:
            case "node_fact":
                kind, name, fields = parts
                return ast.NodeFact(self.name(kind), self.name(name), self.fields(fields), span)
            case "edge_fact":
                source, edge, target = parts
                return ast.EdgeFact(self.name(source), self.name(edge), self.name(target), span)
            case _:
                type_name, subject, issued, expires, signers, fields = parts
                return ast.EvidenceFact(
                    self.name(type_name),
                    self.name(subject),
                    self.moment(issued) if issued is not None else None,
                    self.moment(expires) if expires is not None else None,
                    self.names(signers) if signers is not None else (),
                    self.fields(fields),
                    span,
                )

    def fields(self, tree: Cst | None) -> tuple[ast.Field, ...]:
        if tree is None:
            return ()
        return tuple(self.field(*f.children) for f in tree.children if f is not None)

    def field(self, name: Token, value: Cst | Token) -> ast.Field:
        return ast.Field(
            self.name(name), self.placeholder(value) if isinstance(value, Token) else self.expression(value)
        )

    # --- parts -------------------------------------------------------------------------------------

    def clauses(
        self, trees: list[Node], *, repeatable: tuple[str, ...] = (), same: dict[str, str] | None = None
    ) -> dict[str, Cst]:
        """Return each clause by its name and report one that stands twice."""
        found: dict[str, Cst] = {}
        for tree in trees:
            # `applies` has its own rule in the grammar, so its clause wraps it.
            key = "applies" if tree.data in {"rule_clause", "header_clause"} else str(tree.data)
            key = (same or {}).get(key, key)
            if key in found and key not in repeatable:
                first = Label(self.span(found[key]), "it stands here first")
                self.diagnostics.error(
                    "PE1006", f"the `{key.replace('_', ' ')}` clause stands twice", self.span(tree), labels=[first]
                )
                continue
            found[key] = tree
        return found

    def check_word(self, word: ast.Identifier | None, known: tuple[str, ...], what: str) -> None:
        if word is not None and word.text not in known:
            self.diagnostics.error(
                "PE1012",
                f"there is no {what} `{word.text}`",
                word.span,
                help=did_you_mean(word.text, known) or f"use {', '.join(known[:-1])} or {known[-1]}",
            )

    def type_name(self, tree: Cst) -> ast.TypeName:
        return ast.TypeName(self.name(tree.children[0]), tree.data == "set_type")

    def name_of(self, tree: Cst | None) -> ast.Identifier | None:
        return self.name(tree.children[0]) if tree is not None else None

    def text_of(self, tree: Cst | None) -> ast.Template | None:
        return self.text(tree.children[0]) if tree is not None else None

    def optional_text(self, token: Token | None) -> ast.Template | None:
        return self.text(token) if token is not None else None


def _instant(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
