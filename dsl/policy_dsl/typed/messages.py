"""Texts with placeholders: ``{system.name}`` is checked like any other name."""

import re
from collections.abc import Iterator, Mapping

from policy_dsl.diagnostics import Diagnostics, did_you_mean
from policy_dsl.resolved.symbols import Pack, Symbols
from policy_dsl.source import Span
from policy_dsl.syntax import ast
from policy_dsl.typed import tree
from policy_dsl.typed.references import Sort
from policy_dsl.typed.schema import Schema
from policy_dsl.typed.types import NodeType

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)?")


class MessageChecker:
    """Checks the texts of one rule against the variables that its quantifiers bind."""

    def __init__(
        self,
        pack: Pack,
        symbols: Symbols,
        schema: Schema,
        diagnostics: Diagnostics,
        variables: Mapping[str, list[tree.Variable]],
        places: Mapping[tree.Variable, Span],
    ) -> None:
        self.pack = pack
        self.symbols = symbols
        self.schema = schema
        self.diagnostics = diagnostics
        self.variables = variables
        self.places = places

    def message(self, template: ast.Template) -> tree.Message:
        """Split a text at its placeholders and resolve each."""
        parts: list[str | tuple[tree.Expression, ...]] = []
        position = 0
        for match in _PLACEHOLDER.finditer(template.text):
            parts.append(self.plain(template, template.text[position : match.start()]))
            found = self.placeholder(match[1].strip(), self.place(template, match))
            if found:
                parts.append(found)
            position = match.end()
        parts.append(self.plain(template, template.text[position:]))
        return tree.Message(tuple(p for p in parts if p))

    def plain(self, template: ast.Template, text: str) -> str:
        """Return a text between placeholders, which holds no lone brace."""
        if "{" in text or "}" in text:
            self.diagnostics.error(
                "PE1008", "a brace stands alone; a placeholder is `{name}` or `{name.attribute}`", template.span
            )
        return text

    def place(self, template: ast.Template, match: "re.Match[str]") -> Span:
        """Return the place of a placeholder in the file; escapes before it move it by a character each."""
        start = template.span.start + 1 + match.start()
        return Span(template.span.file, start, min(start + len(match[0]), template.span.end))

    def placeholder(self, text: str, span: Span) -> tuple[tree.Expression, ...]:
        """Resolve ``name``, ``name.attribute`` or a parameter."""
        if not _NAME.fullmatch(text):
            self.diagnostics.error(
                "PE1008", f"`{{{text}}}` is not a placeholder", span, help="write `{name}` or `{name.attribute}`"
            )
            return ()
        name, _, attribute = text.partition(".")
        if name not in self.variables:
            return self.parameter(text, span)
        variables = self.variables[name]
        for variable in variables:
            self.symbols.references.note(span, Sort.VARIABLE, name, declared=self.places.get(variable))
        if not attribute:
            return tuple(variables)
        reads = tuple(self.reads(variables, attribute, span))
        if not reads:
            kinds = [v.type.kind for v in variables if isinstance(v.type, NodeType)]
            known = [a for k in kinds for a in self.schema.kinds[k].attributes]
            message = f"no attribute `{attribute}` on {' or '.join(dict.fromkeys(kinds))}"
            self.diagnostics.error("PE2006", message, span, help=did_you_mean(attribute, known))
        return reads

    def reads(self, variables: list[tree.Variable], attribute: str, span: Span) -> Iterator[tree.Expression]:
        """Yield a read of the attribute for each variable whose kind has it."""
        for variable in variables:
            if isinstance(variable.type, NodeType) and attribute in self.schema.kinds[variable.type.kind].attributes:
                self.symbols.references.note(span, Sort.ATTRIBUTE, attribute, variable.type.kind)
                yield tree.Read(variable, self.schema.kinds[variable.type.kind].attributes[attribute])

    def parameter(self, name: str, span: Span) -> tuple[tree.Expression, ...]:
        """Resolve a parameter's name."""
        found = [(p, d) for p, d in self.symbols.find(self.pack, "value", name) if isinstance(d, ast.Parameter)]
        if len(found) == 1:
            self.symbols.references.note(span, Sort.PARAMETER, found[0][1].name.text, found[0][0].name)
            return (tree.ParameterValue(f"{found[0][0].name}.{found[0][1].name.text}"),)
        if not self.symbols.is_broken(self.pack, name):
            hint = did_you_mean(name.partition(".")[0], [*self.variables, *self.symbols.known(self.pack, "value")])
            self.diagnostics.error("PE2110", f"`{{{name}}}` names nothing that is known in this rule", span, help=hint)
        return ()
