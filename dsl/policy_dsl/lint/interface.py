"""What a lint rule is given and what it gives.

A rule lives in a module of ``policy_dsl.lint.rules`` that is named like it, and the docstring of the module is
its page in the manual. ``check`` looks at one pack and yields findings; a finding may carry edits that remove it
without changing what the policy means.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from policy_dsl.lint.codes import CODES
from policy_dsl.resolved.symbols import Pack, Symbols
from policy_dsl.source import SourceFile, Span
from policy_dsl.syntax import ast
from policy_dsl.typed.tree import Program


@dataclass(frozen=True, slots=True)
class Edit:
    """Text that takes the place of the characters from ``start`` up to ``end``."""

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that a rule objects to, what it objects to, and what to do."""

    span: Span
    message: str
    help: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A pack that is free of errors, with everything that it uses."""

    pack: Pack
    symbols: Symbols
    program: Program
    source: SourceFile
    results: Mapping[str, frozenset[str]]
    """The results that the tests of all packs expect of each rule, by its full name."""

    @property
    def header(self) -> ast.Header:
        """The pack's header."""
        return self.pack.header

    def rules(self) -> Iterator[ast.Rule]:
        """Yield the rules of the pack."""
        return (d for d in self.pack.file.declarations if isinstance(d, ast.Rule))

    def definitions(self) -> Iterator[ast.Define]:
        """Yield the definitions of the pack."""
        return (d for d in self.pack.file.declarations if isinstance(d, ast.Define))

    def parameters(self) -> Iterator[ast.Parameter]:
        """Yield the parameters of the pack."""
        return (d for d in self.pack.file.declarations if isinstance(d, ast.Parameter))

    def logic(self) -> Iterator[ast.Rule | ast.Define]:
        """Yield what holds conditions."""
        return (d for d in self.pack.file.declarations if isinstance(d, (ast.Rule, ast.Define)))

    def readers(self) -> Iterator[ast.Declaration]:
        """Yield what may name a declaration of this pack: all but headers and tests of packs that see this one."""
        for other in self.symbols.packs.values():
            uses_it = self.pack.name in self.symbols.visible(other)
            if uses_it or any(u.pack.text == self.pack.name for u in other.uses):
                yield from (d for d in other.file.declarations if not isinstance(d, (ast.Test, ast.Header)))

    def expected(self, rule: ast.Rule) -> frozenset[str]:
        """Return the results that the tests of all packs expect of a rule."""
        return self.results.get(f"{self.pack.name}.{rule.name.text}", frozenset())


Check = Callable[[Subject], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class LintRule:
    """A rule: its name as comments and options write it, its code, what it does and its page."""

    name: str
    code: str
    check: Check
    page: str | None

    @property
    def summary(self) -> str:
        """What is wrong where the rule objects, in one line."""
        return CODES[self.code]
