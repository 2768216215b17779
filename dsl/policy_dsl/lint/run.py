"""Sources → findings: every rule over every pack, and the comments that allow what a rule objects to."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.diagnostics import Diagnostic, Diagnostics, Severity
from policy_dsl.lint.allowances import Allowance, allowances_of
from policy_dsl.lint.interface import Edit, LintRule, Subject
from policy_dsl.lint.rules import RULES
from policy_dsl.resolved.symbols import Symbols, resolve
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax.parser import parse
from policy_dsl.typed.program_from_resolved import program_from_resolved
from policy_dsl.typed.tree import Expectation, Program


class LintError(Exception):
    """Raised when policies have errors and cannot be linted; ``diagnostics`` are all that was found."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = tuple(diagnostics)


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with the rule that it comes from, and the edits that remove it."""

    rule: str
    diagnostic: Diagnostic
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in the order of the files and of their text."""

    found: tuple[Found, ...]

    def edits(self, file: str) -> list[Edit]:
        """Return the edits of one file."""
        return [e for f in self.found if f.diagnostic.span.file == file for e in f.edits]


@without_search_for_cycles()
def lint_sources(sources: Iterable[SourceFile], files: Collection[str], rules: Sequence[LintRule] = RULES) -> Report:
    """Lint the packs in ``files``; ``sources`` holds them and every pack that they use.

    Raises:
        LintError: the policies have errors.
    """
    texts = {s.name: s for s in sources}
    diagnostics = Diagnostics()
    symbols: Symbols = resolve([parse(s, diagnostics) for s in texts.values()], diagnostics)
    program = program_from_resolved(symbols, texts, diagnostics, {})
    if diagnostics.has_errors:
        raise LintError(diagnostics.sorted())
    results = _results(program)
    found: list[Found] = []
    for pack in symbols.packs.values():
        if pack.file.file in files:
            found += _pack_findings(Subject(pack, symbols, program, texts[pack.file.file], results), rules)
    return Report(tuple(sorted(found, key=lambda f: (f.diagnostic.span, f.diagnostic.code, f.diagnostic.message))))


def _results(program: Program) -> dict[str, frozenset[str]]:
    """Return the results that tests expect of each rule."""
    found: dict[str, set[str]] = {}
    for test in program.tests:
        for step in test.steps:
            if isinstance(step, Expectation):
                found.setdefault(step.rule, set()).add(step.status)
    return {rule: frozenset(statuses) for rule, statuses in found.items()}


def _pack_findings(subject: Subject, rules: Sequence[LintRule]) -> list[Found]:
    allowances = allowances_of(subject)
    used: set[Allowance] = set()
    found: list[Found] = []
    for rule in rules:
        for finding in rule.check(subject):
            granted = [a for a in allowances if a.name == rule.name and a.covers(finding.span)]
            used.update(granted)
            if not any(a.reason for a in granted):
                found.append(_found(rule.name, rule.code, finding.message, finding.span, finding.help, finding.edits))
    return found + _allowance_findings(allowances, used, {r.name for r in rules})


def _allowance_findings(allowances: Sequence[Allowance], used: set[Allowance], ran: set[str]) -> list[Found]:
    found: list[Found] = []
    known = {r.name for r in RULES}
    for allowance in allowances:
        name = allowance.name
        if name not in known:
            message, help_text = f"there is no lint rule `{name}`", "see `policy-engine lint --rules` for their names"
            found.append(_found("unknown-allowance", "PE8092", message, allowance.span, help_text))
        elif not allowance.reason:
            message, help_text = f"`{name}` is allowed without a reason", f"write `# lint: allow {name} because …`"
            found.append(_found("allowance-without-reason", "PE8090", message, allowance.span, help_text))
        elif name in ran and allowance not in used:
            message = f"`{name}` is allowed and does not occur here"
            found.append(_found("unused-allowance", "PE8091", message, allowance.span, "remove the comment"))
    return found


def _found(name: str, code: str, message: str, span: Span, help_text: str, edits: tuple[Edit, ...] = ()) -> Found:
    return Found(name, Diagnostic(code, message, span, Severity.WARNING, help_text), edits)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits made; an edit that overlaps one before it waits for the next run.

    >>> apply_edits("not not a", [Edit(0, 8)])
    'a'
    """
    parts: list[str] = []
    at = 0
    for edit in sorted(set(edits), key=lambda e: (e.start, e.end)):
        if edit.start >= at:
            parts += [text[at : edit.start], edit.text]
            at = edit.end
    return "".join([*parts, text[at:]])
