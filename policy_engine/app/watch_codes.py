"""The codes of watching."""

CODES: dict[str, str] = {
    "PE3820": "an event is not a line of JSON",
    "PE3821": "an event is not what it should be",
    "PE3822": "an event is longer than an event may be",
    "PE3823": "an event withdraws evidence that is not there, or adds evidence under a name that is taken",
    "PE3824": "an event moves the instant, which the clock moves",
}
"""Codes of watching; docs/reference/codes.md has an entry for every one."""
