"""Rules in plain English, from the syntax tree: what an officer says when asked what a rule wants.

>>> from policy_dsl.source import SourceFile, Span
>>> from policy_dsl.syntax import ast
>>> here = Span("p", 0, 0)
>>> owner = ast.Path(ast.Identifier("model", here), (ast.Identifier("owner", here),), here)
>>> condition(ast.Known(owner, False, here))
'the owner of model is known'
"""

from policy_dsl.syntax import ast
from policy_dsl.values import text

_B = ast.BinaryOperator
_COMPARISONS = {
    _B.LESS: "is less than",
    _B.LESS_OR_EQUAL: "is at most",
    _B.GREATER: "is more than",
    _B.GREATER_OR_EQUAL: "is at least",
    _B.IS: "is",
    _B.IS_NOT: "is not",
    _B.IN: "is one of",
    _B.NOT_IN: "is none of",
    _B.CONTAINS: "contains",
    _B.STARTS_WITH: "starts with",
    _B.LIKE: "looks like",
}
_ARITHMETIC = {_B.PLUS: "plus", _B.MINUS: "minus"}
_AGGREGATES = {
    ast.AggregateWord.SUM: "the sum of",
    ast.AggregateWord.MIN: "the smallest of",
    ast.AggregateWord.MAX: "the largest of",
    ast.AggregateWord.AVERAGE: "the average of",
}


def rule(declaration: ast.Rule) -> list[str]:
    """Say a rule in sentences: whom it is about, what is required, when it does not apply."""
    for_each = declaration.for_each
    about = f"This is about every {for_each.kind.text}"
    if for_each.binder is not None:
        about += f", called {for_each.binder.text},"
    if for_each.where is not None:
        about += f" for which {condition(for_each.where)}"
    sentences = [f"{about.rstrip(',')}.", f"It is required that {condition(declaration.requirement)}."]
    exceptions = [(_words(e.label.text), condition(e.condition)) for e in declaration.exceptions]
    return [*sentences, *(f"It does not apply ({label}) when {when}." for label, when in exceptions)]


def definition(declaration: ast.Define) -> str:
    """Say what a definition means."""
    formals = f" for {', '.join(f.name.text for f in declaration.formals)}" if declaration.formals else ""
    body = declaration.body
    means = f"is {value(body).rstrip(',')}" if _has_value(body) else f"means that {condition(body)}"
    return f"“{_words(declaration.name.text)}”{formals} {means}."


def _has_value(expression: ast.Expression) -> bool:
    """Tell whether the form of an expression shows that it has a value other than true and false."""
    match expression:
        case ast.Binary(operator, _, _, _):
            return operator in _ARITHMETIC
        case ast.Literal(plain, _):
            return not isinstance(plain, bool)
        case ast.Aggregate() | ast.Now() | ast.Negative() | ast.SetLiteral():
            return True
        case _:
            return False


def condition(expression: ast.Expression) -> str:
    """Say an expression that is true, false or unknown."""
    match expression:
        case ast.Path() | ast.Name():
            return f"{value(expression)} is yes"
        case ast.Literal(bool() as fixed, _):
            return "always" if fixed else "never"
        case ast.Call(name, arguments, _):
            return f"“{_words(name.text)}” holds{_of(arguments)}"
        case ast.Not(operand, _):
            return _negated(operand)
        case ast.Junction(all_of, operands, _):
            word = "and" if all_of else "or"
            parts = [_grouped(o, inside_and=all_of) for o in operands]
            return f" {word} ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])}, {word} {parts[-1]}"
        case ast.Known(operand, negated, _):
            return f"{value(operand)} is {'not known' if negated else 'known'}"
        case ast.Between(operand, low, high, _):
            return f"{value(operand)} is from {value(low)} to {value(high)}"
        case ast.Binary(_B.IF_THEN, left, right, _):
            return f"if {condition(left)}, then {condition(right)}"
        case ast.Binary(operator, left, right, _) if operator in _COMPARISONS:
            return f"{value(left)} {_COMPARISONS[operator]} {value(right)}"
        case ast.HasEvidence(subject, pattern, _):
            return f"{subject.text} has {_evidence(pattern)}"
        case ast.Quantified():
            return _quantified(expression)
        case _:
            return f"{value(expression)} is yes"


def value(expression: ast.Expression) -> str:
    """Say an expression that has a value."""
    match expression:
        case ast.Literal(str() as written, _):
            return f"“{written}”"
        case ast.Literal(plain, _):
            return text(plain)
        case ast.Now(date_only, _):
            return "today" if date_only else "now"
        case ast.Name(name, _):
            return _words(name.text)
        case ast.Path(root, steps, _):
            return f"the {_words(steps[-1].text)} of {'.'.join([root.text, *(s.text for s in steps[:-1])])}"
        case ast.SetLiteral(items, _):
            return _listed([value(i) for i in items], "or")
        case ast.Negative(operand, _):
            return f"minus {value(operand)}"
        case ast.Binary(_B.IF_UNKNOWN, left, right, _):
            return f"{value(left)} ({value(right)} where that is not known)"
        case ast.Binary(operator, left, right, _) if operator in _ARITHMETIC:
            return f"{value(left)} {_ARITHMETIC[operator]} {value(right)}"
        case ast.Aggregate():
            return _aggregate(expression)
        case ast.Call(name, arguments, _):
            return f"“{_words(name.text)}”{_of(arguments)}"
        case ast.LatestField(field, subject, pattern, _):
            return f"the {_words(field.text)} in the latest {_evidence(pattern, article=False)} on {subject.text}"
        case _:
            return f"whether {condition(expression)}"


def _negated(operand: ast.Expression) -> str:
    match operand:
        case ast.Path() | ast.Name():
            return f"{value(operand)} is no"
        case ast.HasEvidence(subject, pattern, _):
            return f"{subject.text} has no {_evidence(pattern, article=False)}"
        case ast.Quantified(word=ast.QuantifierWord.SOME):
            return f"there is no {_members(operand)}"
        case _:
            return f"it is not so that {_grouped(operand, inside_and=True)}"


def _grouped(expression: ast.Expression, *, inside_and: bool) -> str:
    """Put brackets round what would otherwise be read together with its neighbours."""
    said = condition(expression)
    loose = isinstance(expression, ast.Junction) and expression.all_of != inside_and
    loose = loose or (isinstance(expression, ast.Binary) and expression.operator is _B.IF_THEN)
    return f"({said})" if loose or isinstance(expression, ast.Quantified) else said


def _quantified(expression: ast.Quantified) -> str:
    members = _members(expression)
    match expression.word:
        case ast.QuantifierWord.EVERY:
            return f"every {members} {_body(expression)}"
        case ast.QuantifierWord.SOME:
            tail = f" that {_body(expression)}" if expression.body is not None else ""
            return f"there is a {members}{tail}"
        case ast.QuantifierWord.NO:
            tail = f" that {_body(expression)}" if expression.body is not None else ""
            return f"there is no {members}{tail}"
        case word:
            tail = f" that {_body(expression)}" if expression.body is not None else ""
            return f"there are {word} {expression.count} {members}{tail}"


def _body(expression: ast.Quantified) -> str:
    match expression.body:
        case None:
            return ""
        case ast.EvidencePattern() as pattern:
            return f"has {_evidence(pattern)}"
        case other:
            return f"satisfies that {condition(other)}"


def _members(expression: ast.Quantified | ast.Aggregate) -> str:
    said = expression.kind.text
    if expression.binder is not None:
        said += f" (called {expression.binder.text})"
    said += _range(expression.range)
    return said + (f" for which {condition(expression.where)}" if expression.where is not None else "")


def _range(found: ast.Range | None) -> str:
    match found:
        case None:
            return ""
        case ast.PathRange(anchor, steps, _):
            ways = [f"{s.edge.text}{' (any number of times)' if s.repeated else ''}" for s in steps]
            return f" that {anchor.text} leads to by {', then '.join(ways)}"
        case ast.LineageRange():
            way = "upstream" if found.upstream else "downstream"
            limits = [f"by way of {_listed([v.text for v in found.via], 'or')}, or of a part"] if found.via else []
            if found.within is not None:
                limits.append(f"at most {found.within} step{'' if found.within == 1 else 's'} away")
            limits += [_through(found.through)] if found.through is not None else []
            said = f" {way} of {found.anchor.text}"
            return said + (f" ({'; '.join(limits)})" if limits else "")


def _through(through: ast.Through) -> str:
    which = f" for which {condition(through.where)}" if through.where is not None else ""
    return f"not beyond a {through.kind.text}{which}"


def _evidence(pattern: ast.EvidencePattern, *, article: bool = True) -> str:
    said = f"{'signed ' if article else ''}evidence of type {_words(pattern.type.text)}"
    if pattern.signed_by is not None:
        role = _words(pattern.signed_by.text)
        said += f", signed by at least {pattern.signers} holders of the role {role}" if pattern.signers > 1 else ""
        said += f", signed as {role}" if pattern.signers == 1 else ""
    if pattern.max_age is not None:
        said += f", younger than {value(pattern.max_age)}"
    return said + (f", in which {condition(pattern.where)}" if pattern.where is not None else "")


def _aggregate(expression: ast.Aggregate) -> str:
    if expression.operand is None:
        return f"the number of {_members(expression)}"
    return f"{_AGGREGATES[expression.word]} {value(expression.operand)}, for every {_members(expression)},"


def _of(arguments: tuple[ast.Expression, ...]) -> str:
    return f" for {_listed([value(a) for a in arguments], 'and')}" if arguments else ""


def _listed(words: list[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _words(name: str) -> str:
    return name.replace("_", " ")
