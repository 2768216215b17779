"""Characters that a reader cannot see, in text we did not write.

Control characters act on terminals, format characters hide or turn text, and neither may do so in a report. Every
renderer shows them as `[U+XXXX]`, so that what is read is what is there.

>>> visible("one\\ntwo \\u202eevil")
'one two [U+202E]evil'
>>> visible("one\\ntwo", keep_lines=True)
'one\\ntwo'
"""

from __future__ import annotations

import unicodedata

# Control, format, surrogate, private and unassigned characters, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset("\t\n\r\v\f\x85 ")


def is_blank(character: str) -> bool:
    """Whether a character only separates words."""
    return character in _BLANK


def is_hidden(character: str) -> bool:
    """Whether a character is invisible or acts on the text around it."""
    return unicodedata.category(character) in _HIDDEN


def spelled(character: str) -> str:
    """A character by its number."""
    return f"[U+{ord(character):04X}]"


def visible(text: str, *, keep_lines: bool = False) -> str:
    """The text with every hidden character spelled out and every blank as a space, line ends kept on request."""
    shown = []
    for character in text:
        if character == "\n" and keep_lines:
            shown.append(character)
        elif is_blank(character):
            shown.append(" ")
        else:
            shown.append(spelled(character) if is_hidden(character) else character)
    return "".join(shown)
