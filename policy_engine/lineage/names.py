"""Names as people and tools write them, and what was probably meant by one.

>>> nearest("credit-scorng", ["credit-scoring", "claims"])
'did you mean `credit-scoring`?'
"""

from collections.abc import Iterable

from policy_dsl.diagnostics import did_you_mean

# Comparing against more names than this costs more than a suggestion is worth.
_ENOUGH = 200


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return a help sentence naming the known name nearest to a word, or nothing; quick among many names too."""
    near = [
        name
        for name in known
        if abs(len(name) - len(word)) <= 3
        and (name[:2] == word[:2] or name[-2:] == word[-2:] or name[1:3] == word[1:3])
    ]
    return did_you_mean(word, near) if len(near) <= _ENOUGH else None
