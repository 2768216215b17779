"""Changes to quantifiers, to where they look, and to the evidence they ask for. See ``changes``."""

from collections.abc import Iterator

from policy_dsl.syntax import ast
from policy_engine.app.testing.words import Edit, Word, Words

_Q = ast.QuantifierWord
Found = tuple[str, tuple[Edit, ...]]

_OTHER_WORDS = {
    _Q.EVERY: ("some", "no"),
    _Q.SOME: ("every", "no", "at least 2"),
    _Q.NO: ("some", "at most 1"),
}
_OTHER_AGGREGATES = {
    ast.AggregateWord.MIN: "max",
    ast.AggregateWord.MAX: "min",
    ast.AggregateWord.SUM: "max",
    ast.AggregateWord.AVERAGE: "max",
}


def quantifier_changes(node: ast.Quantified, words: Words) -> Iterator[Found]:
    """Yield another word, another number, and the quantifier without its ``where``."""
    word = words.at(node.span.start)
    others = _OTHER_WORDS.get(node.word, ())
    for new in others if node.body is not None else (o for o in others if o != "every"):
        yield f"`{word.text}` became `{new}`", (Edit(word.start, word.end, new),)
    if node.count is not None:
        number = next(w for w in words.between(node.span.start, node.span.end) if w.text.isdigit())
        yield from _one_off(node.word.value, number, least=0)
    if node.where is None:
        return
    where = words.opener(node.where.span.start)
    body = _start_of_body(node, words)
    yield f"`where` of {node.kind.text} left out", (words.cut(where.start, body),)
    if node.body is None and node.word is _Q.SOME:
        changed = Edit(word.start, word.end, "every"), Edit(where.start, where.end, "satisfies")
        yield "`some` became `every`", changed


def _start_of_body(node: ast.Quantified, words: Words) -> int:
    """Return where the space before ``has evidence`` or ``satisfies`` begins."""
    match node.body:
        case None:
            return node.span.end
        case ast.EvidencePattern(span=span):
            return words.before(span.start).end
        case body:
            return words.before(words.opener(body.span.start).start).end


def aggregate_changes(node: ast.Aggregate, words: Words) -> Iterator[Found]:
    """Yield another aggregate, and the aggregate of everything."""
    word = words.at(node.span.start)
    other = _OTHER_AGGREGATES.get(node.word)
    if other is not None:
        yield f"`{word.text}` became `{other}`", (Edit(word.start, word.end, other),)
    if node.where is not None:
        where = words.opener(node.where.span.start)
        yield f"`where` of {node.kind.text} left out", (words.cut(where.start, node.span.end),)


def range_changes(found: ast.Range | None, words: Words) -> Iterator[Found]:
    """Yield lineage over fewer or other edges, over more or fewer hops, and through what stopped it."""
    match found:
        case ast.PathRange():
            yield from _path_changes(found, words)
        case ast.LineageRange():
            yield from _lineage_changes(found, words)
        case None:
            return


def _path_changes(found: ast.PathRange, words: Words) -> Iterator[Found]:
    ends = [words.at(s.edge.span.end).end if s.repeated else s.edge.span.end for s in found.steps]
    for i, (step, end) in enumerate(zip(found.steps, ends, strict=True)):
        if step.repeated:
            yield f"`*` after {step.edge.text} left out", (Edit(step.edge.span.end, end, ""),)
        if len(ends) > 1:
            after = found.steps[1].edge.span.start if i == 0 else end
            start = step.edge.span.start if i == 0 else ends[i - 1]
            yield f"step `{step.edge.text}` left out", (Edit(start, after, ""),)


def _lineage_changes(found: ast.LineageRange, words: Words) -> Iterator[Found]:
    names = found.via
    for i, name in enumerate(names):
        what = f"`via {name.text}` left out"
        if len(names) == 1:
            yield what, (words.cut(words.before(name.span.start).start, name.span.end),)
        elif i == 0:
            yield what, (Edit(name.span.start, names[1].span.start, ""),)
        else:
            yield what, (Edit(names[i - 1].span.end, name.span.end, ""),)
    if found.within is not None:
        within, number, hops = _within(found, words)
        yield "`within` left out", (words.cut(within.start, hops.end),)
        yield from _one_off("within", number, least=1)
    if found.through is not None:
        through = found.through
        yield f"`not through ({through.kind.text} …)` left out", (words.cut(through.span.start, through.span.end),)
        if through.where is not None:
            where = words.opener(through.where.span.start)
            closing = words.before(through.span.end)
            yield f"`where` of {through.kind.text} left out", (words.cut(where.start, closing.start),)


def _within(found: ast.LineageRange, words: Words) -> tuple[Word, Word, Word]:
    listed = [
        w
        for w in words.between(found.anchor.span.end, found.span.end)
        if found.through is None or not found.through.span.start <= w.start < found.through.span.end
    ]
    at = next(i for i, w in enumerate(listed) if w.text == "within" and listed[i + 1].text.isdigit())
    return listed[at], listed[at + 1], listed[at + 2]


def evidence_changes(pattern: ast.EvidencePattern, words: Words) -> Iterator[Found]:
    """Yield evidence signed by anybody, of any age, whatever it says; and another number of signers."""
    role = pattern.signed_by
    if role is not None:
        clause = [w for w in words.between(pattern.span.start, role.span.start) if w.start >= pattern.type.span.end]
        start = max(w.start for w in clause if w.text == "signed")
        yield f"`signed by {role.text}` left out", (words.cut(start, role.span.end),)
        number = next((w for w in clause if w.start > start and w.text.isdigit()), None)
        if number is not None:
            yield from _one_off("signed by", number, least=1)
    if pattern.max_age is not None:
        age = words.outer(pattern.max_age.span)
        than = words.before(age.start)
        negation = words.before(words.before(than.start).start)
        yield "`not older than` left out", (words.cut(negation.start, age.end),)
    if pattern.where is not None:
        where = words.opener(pattern.where.span.start)
        yield f"`where` of evidence {pattern.type.text} left out", (words.cut(where.start, pattern.span.end),)


def _one_off(what: str, number: Word, least: int) -> Iterator[Found]:
    for new in (int(number.text) + 1, int(number.text) - 1):
        if new >= least:
            yield f"`{what} {number.text}` became {new}", (Edit(number.start, number.end, str(new)),)
