"""The codes of the formatter and what each means. A code keeps its meaning for ever."""

CODES: dict[str, str] = {
    "PE8001": "an internal error of the formatter: the new layout would not mean the same, and nothing was changed",
    "PE8002": "a block of policies in a document is not complete in itself, so it cannot be laid out alone",
}
"""Meaning of each code."""
