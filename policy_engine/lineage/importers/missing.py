"""The words that foreign formats write where a value is missing.

Templates, generators and standards each have their own; to a rule they all mean that nothing is known. Case and space
do not matter.

>>> says_nothing("[More  information needed]"), says_nothing("noAssertion"), says_nothing("credit scoring")
(True, True, False)
"""

_WORDS = frozenset(
    {
        "",
        "-",
        "?",
        "[more information needed]",
        "[needs more information]",
        "more information needed",
        "n.a.",
        "n/a",
        "no description available",
        "no description provided",
        "noassertion",
        "none provided",
        "not available",
        "not provided",
        "not specified",
        "not_specified",
        "null",
        "tba",
        "tbd",
        "to be determined",
        "to do",
        "todo",
        "undefined",
        "unknown",
        "unspecified",
    }
)
# A template may decorate its filler as Markdown does.
_DECORATION = " \t*_`."


def says_nothing(text: str) -> bool:
    """Tell whether a text from a foreign format only stands where a value is missing."""
    if len(text) > 60:
        return False
    plain = " ".join(text.casefold().split())
    return plain in _WORDS or plain.strip(_DECORATION) in _WORDS
