"""Tests of packs: facts and expectations checked against the schema and the rules."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from policy_dsl.diagnostics import Diagnostics, did_you_mean
from policy_dsl.resolved.symbols import Pack, Symbols
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed import tree
from policy_dsl.typed.references import Sort
from policy_dsl.typed.schema import Attribute, Schema
from policy_dsl.typed.schema_from_resolved import constant_of
from policy_dsl.typed.test_tables import fill, rows_of
from policy_dsl.values import Value, instant


class TestChecker:
    """Checks the tests of all packs. A fact with a mistake is reported and left out."""

    __test__ = False  # pytest collects classes by their name

    def __init__(self, symbols: Symbols, schema: Schema, diagnostics: Diagnostics) -> None:
        self.symbols = symbols
        self.schema = schema
        self.diagnostics = diagnostics
        self.kinds: dict[str, str] = {}
        self.places: dict[str, Span] = {}

    def tests(self, pack: Pack, test: ast.Test) -> Iterator[tree.PackTest]:
        """Check a test; one with a table becomes a test for each row."""
        if not any(isinstance(s, ast.At) for s in test.steps):
            hint = "add `at` with a date before the first `given`"
            self.diagnostics.error("PE1005", f"test `{test.name.text}` has no `at` clause", test.name.span, help=hint)
        if not any(isinstance(s, ast.Expect) for s in test.steps):
            self.diagnostics.error("PE1005", f"test `{test.name.text}` expects nothing", test.name.span)
        for name, row in rows_of(test):
            self.kinds, self.places = {}, {}
            steps = tuple(s for step in test.steps for s in self.step(pack, fill(step, row, self.diagnostics)))
            yield tree.PackTest(pack.name, name, steps, test.span)

    def step(self, pack: Pack, step: ast.TestStep) -> "Iterator[tree.AtStep | tree.Given | tree.Expectation]":
        """Check one step."""
        match step:
            case ast.At(when, _):
                if not isinstance(when, ast.Placeholder):
                    yield tree.AtStep(instant(when))
            case ast.Given(facts, _):
                # Things first, so that an edge may stand before the things it joins.
                for fact in sorted(facts, key=lambda f: not isinstance(f, ast.NodeFact)):
                    found = self.fact(pack, fact)
                    if found is not None:
                        yield found
            case ast.Expect():
                rule = self.rule_named(pack, step.rule)
                names = [step.subject, *step.because_of]
                unknown = [n for n in names if not self.is_given(n)]
                if rule is not None and not unknown and isinstance(step.result, ast.Identifier):
                    because = tuple(n.text for n in step.because_of)
                    yield tree.Expectation(step.result.text, rule, step.subject.text, because, step.span)

    def fact(self, pack: Pack, fact: ast.Fact) -> tree.Given | None:
        """Check a fact."""
        match fact:
            case ast.NodeFact(kind, name, fields, _):
                if kind.text not in self.schema.kinds or not self.symbols.find(pack, "type", kind.text):
                    hint = did_you_mean(kind.text, self.schema.kinds)
                    self.diagnostics.error("PE2005", f"there is no kind `{kind.text}`", kind.span, help=hint)
                    self.kinds.setdefault(name.text, "")
                    return None
                if name.text in self.kinds:
                    self.diagnostics.error("PE2001", f"`{name.text}` stands twice in the test", name.span)
                    return None
                self.kinds[name.text] = kind.text
                self.places[name.text] = name.span
                self.symbols.references.note(kind.span, Sort.KIND, kind.text)
                self.symbols.references.bind(name.span, Sort.THING, name.text, kind.text)
                return tree.NodeGiven(
                    name.text,
                    kind.text,
                    self.values(fields, self.schema.kinds[kind.text].attributes, kind.text, Sort.ATTRIBUTE),
                )
            case ast.EdgeFact():
                return self.edge(fact)
            case ast.EvidenceFact():
                return self.evidence(pack, fact)

    def edge(self, fact: ast.EdgeFact) -> tree.Given | None:
        """Check an edge; its reverse name turns it round."""
        found = self.schema.edge_named(fact.edge.text)
        if found is None:
            names = [n for e in self.schema.edges.values() for n in (e.name, e.reverse) if n]
            hint = did_you_mean(fact.edge.text, names)
            self.diagnostics.error("PE2007", f"there is no edge `{fact.edge.text}`", fact.edge.span, help=hint)
            return None
        self.symbols.references.note(fact.edge.span, Sort.EDGE, fact.edge.text)
        if not self.is_given(fact.source) or not self.is_given(fact.target):
            return None
        edge, reverse = found
        source, target = (fact.target, fact.source) if reverse else (fact.source, fact.target)
        kinds = self.kinds[source.text], self.kinds[target.text]
        if all(kinds) and not self.schema.connects(edge, *kinds):
            ends = f"{' or '.join(edge.sources)} to {' or '.join(edge.targets)}"
            message = f"`{edge.name}` leads from {ends}, not from a {kinds[0]} to a {kinds[1]}"
            self.diagnostics.error("PE2106", message, fact.span)
            return None
        return tree.EdgeGiven(edge.name, source.text, target.text)

    def evidence(self, pack: Pack, fact: ast.EvidenceFact) -> tree.Given | None:
        """Check a piece of evidence."""
        if fact.type.text not in self.schema.evidence:
            hint = did_you_mean(fact.type.text, self.schema.evidence)
            self.diagnostics.error("PE2008", f"there is no evidence type `{fact.type.text}`", fact.type.span, help=hint)
            return None
        self.symbols.references.note(fact.type.span, Sort.EVIDENCE, fact.type.text)
        for role in fact.signed_by:
            self.symbols.references.note(role.span, Sort.ROLE, role.text)
            if not self.symbols.find(pack, "role", role.text):
                hint = did_you_mean(role.text, self.schema.roles)
                self.diagnostics.error("PE2009", f"there is no role `{role.text}`", role.span, help=hint)
        if not self.is_given(fact.subject):
            return None
        declared = self.schema.evidence[fact.type.text]
        kind = self.kinds[fact.subject.text]
        if kind and declared.subjects and not any(self.schema.is_a(kind, s) for s in declared.subjects):
            about = " or ".join(declared.subjects)
            message = f"evidence `{declared.name}` is about {about}, and `{fact.subject.text}` is a {kind}"
            self.diagnostics.error("PE2105", message, fact.span)
            return None
        return tree.EvidenceGiven(
            declared.name,
            fact.subject.text,
            _optional_instant(fact.issued),
            _optional_instant(fact.expires),
            tuple(r.text for r in fact.signed_by),
            self.values(fact.fields, declared.fields, declared.name, Sort.FIELD),
        )

    def values(
        self, fields: Iterable[ast.Field], attributes: Mapping[str, Attribute], owner: str, sort: Sort
    ) -> dict[str, Value]:
        """Check the values written for attributes."""
        found: dict[str, Value] = {}
        for written in fields:
            attribute = attributes.get(written.name.text)
            if attribute is None:
                hint = did_you_mean(written.name.text, attributes)
                self.diagnostics.error(
                    "PE2006", f"no attribute `{written.name.text}` on {owner}", written.name.span, help=hint
                )
                continue
            if isinstance(written.value, ast.Placeholder):
                continue  # the table says that it is not stated, or has no such column
            self.symbols.references.note(written.name.span, sort, written.name.text, owner)
            self.symbols.references.note_constant(written.value, attribute.type)
            value = constant_of(written.value, attribute.type)
            if value is None:
                message = f"this is not a value of type {attribute.type}"
                self.diagnostics.error("PE2109", message, written.value.span)
                continue
            found[written.name.text] = value
        return found

    def is_given(self, name: ast.Identifier) -> bool:
        """Tell whether a test has put a thing of this name into its graph, and report it when not."""
        if name.text in self.kinds:
            self.symbols.references.note(name.span, Sort.THING, name.text, declared=self.places.get(name.text))
            return True
        hint = did_you_mean(name.text, self.kinds)
        self.diagnostics.error("PE2004", f"the test has nothing named `{name.text}`", name.span, help=hint)
        return False

    def rule_named(self, pack: Pack, name: ast.Identifier) -> str | None:
        """Return the full name of a rule that a test names, with or without its pack."""
        found = self.symbols.find(pack, "rule", name.text)
        owner, _, last = name.text.rpartition(".")
        if not found and owner in self.symbols.packs:
            other = self.symbols.packs[owner]
            found = [(other, d) for n, d in other.names["rule"].items() if n == last]
        if len(found) == 1:
            self.symbols.references.note(name.span, Sort.RULE, found[0][1].name.text, found[0][0].name)
            return f"{found[0][0].name}.{found[0][1].name.text}"
        if found:
            self.diagnostics.error(
                "PE2014", f"several packs have a rule `{name.text}`", name.span, help="write it with its pack"
            )
        elif not self.symbols.is_broken(pack, name.text):
            hint = did_you_mean(name.text, self.symbols.known(pack, "rule"))
            self.diagnostics.error("PE2004", f"there is no rule `{name.text}`", name.span, help=hint)
        return None


def _optional_instant(when: "date | datetime | ast.Placeholder | None") -> datetime | None:
    return None if when is None or isinstance(when, ast.Placeholder) else instant(when)
