"""The meaning of counts over three truth values."""

from policy_dsl.typed.tree import CountWord
from policy_engine.evaluation.trace import UNKNOWN, Trace, together


def compare(word: CountWord, number: int, true: int, unknown: int) -> object:
    """Return whether a count holds when so many things surely, and so many possibly, meet the condition."""
    match word:
        case CountWord.AT_LEAST:
            return True if true >= number else False if true + unknown < number else UNKNOWN
        case CountWord.AT_MOST:
            return False if true > number else True if true + unknown <= number else UNKNOWN
        case CountWord.EXACTLY:
            if true > number or true + unknown < number:
                return False
            return UNKNOWN if unknown else True


def count(word: CountWord, number: int, traces: tuple[Trace, ...]) -> Trace:
    """Combine the traces of a condition for each thing of a range, in the order of the range."""
    true = sum(t.value is True for t in traces)
    value = compare(word, number, true, sum(t.value is UNKNOWN for t in traces))
    return together(value, [t for t in traces if _decides(word, number, true, value, t.value)])


def _decides(word: CountWord, number: int, true: int, value: object, own: object) -> bool:
    """Tell whether a thing is among those that make the count what it is."""
    if value is UNKNOWN:
        return own is UNKNOWN
    if word is CountWord.AT_LEAST:
        return own is value
    if word is CountWord.AT_MOST:
        return own is True if value is False else True
    return True if value is True else own is (true > number)
