"""Policies from text to a checked program, in named stages: parse, resolve, check.

>>> from policy_dsl.source import SourceFile
>>> program, found = compile_packs([SourceFile("a.policy", "policy a\\nrule r for each Thing must true")])
>>> [d.code for d in found]
['PE2005']
"""

from collections.abc import Iterable, Mapping

from policy_dsl.collector import without_search_for_cycles
from policy_dsl.diagnostics import Diagnostic, Diagnostics
from policy_dsl.resolved.symbols import resolve
from policy_dsl.source import SourceFile
from policy_dsl.syntax.parser import decode, parse
from policy_dsl.typed.program_from_resolved import program_from_resolved
from policy_dsl.typed.tree import Program


def compile_packs(
    sources: Iterable[SourceFile], overrides: Mapping[str, str] | None = None
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """Compile policy files that together hold every pack they use.

    The program is fit for evaluation only if no diagnostic is an error.
    """
    return _compile(list(sources), overrides or {}, Diagnostics())


def compile_bytes(
    files: Mapping[str, bytes], overrides: Mapping[str, str] | None = None
) -> tuple[Program, tuple[Diagnostic, ...]]:
    """Compile policy files given by name and content."""
    diagnostics = Diagnostics()
    return _compile([decode(name, data, diagnostics) for name, data in files.items()], overrides or {}, diagnostics)


@without_search_for_cycles()
def _compile(
    sources: list[SourceFile], overrides: Mapping[str, str], diagnostics: Diagnostics
) -> tuple[Program, tuple[Diagnostic, ...]]:
    parsed = [parse(source, diagnostics) for source in sources]
    symbols = resolve(parsed, diagnostics)
    program = program_from_resolved(symbols, {s.name: s for s in sources}, diagnostics, overrides)
    return program, diagnostics.sorted()
