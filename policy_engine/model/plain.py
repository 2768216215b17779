"""Text of others as part of what is shown to a person: one line that cannot move the cursor or turn the reading.

>>> one_line("a\\x1b[2J\\nb\\u202e")
'a·[2J·b·'
"""

import re

_LONGEST = 1_000


def one_line(text: str) -> str:
    """Return a text without characters that could break the line or turn its direction, and not without end."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else "·" for c in text)


def shown_json(text: str) -> str:
    """Return JSON that says the same with every character escaped that a terminal might obey.

    >>> shown_json('["\\u202e"]')
    '["\\\\u202e"]'
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless there is one.

    >>> counted(1, "thing"), counted(1200, "thing")
    ('1 thing', '1,200 things')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _escaped(character: str) -> str:
    """Write a character as JSON escapes it: beyond the first plane as a pair (RFC 8259, section 7)."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def spreadsheet_cell(value: str) -> str:
    """Keep a text from becoming a formula: names come from documents of others, and spreadsheets run what they read."""
    # A quoted cell may have several lines (RFC 4180 section 2); what a terminal would obey has no place in it.
    plain = "".join(c if c.isprintable() or c == "\n" else "·" for c in value)
    return f"'{plain}" if value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else plain


def plain_markdown(value: str) -> str:
    """Return a text on one line in which nothing is Markdown: names come from documents of others.

    >>> plain_markdown("a_b <c>")
    'a\\\\_b \\\\<c\\\\>'
    """
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", one_line(value))
