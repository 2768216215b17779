"""The codes of changes that cannot be made."""

CODES: dict[str, str] = {
    "PE3801": "a change names a thing that is not there",
    "PE3802": "a change adds a thing, an edge, evidence or a waiver that is there already",
    "PE3803": "a change takes away an edge, evidence or a waiver that is not there",
    "PE3804": "a change names a kind or an edge that the schema does not have",
    "PE3805": "a change names an attribute that the kind does not have",
    "PE3806": "a change gives an attribute a value that does not fit it",
    "PE3807": "a change makes an edge lead between kinds that it does not connect",
    "PE3808": "an instant lies before the one that was reached already",
}
"""Codes of incremental evaluation; docs/reference/codes.md has an entry for every one."""
