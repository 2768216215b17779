"""The codes of forecast, diff, what-if and remedy."""

CODES: dict[str, str] = {
    "PE3601": "a change names a thing that the inventory does not have",
    "PE3602": "a change is not written as it must be",
    "PE3603": "a value does not fit the attribute that it is for",
    "PE3604": "a kind has no such attribute",
    "PE3605": "there is no such edge, or it does not lead from the one kind to the other",
    "PE3606": "an edge that is to be removed does not exist, or one that is to be added does already",
    "PE3607": "evidence that is to be withdrawn does not exist, or several pieces are meant",
    "PE3608": "a parameter that is to be changed does not exist",
    "PE3609": "no change was named",
    "PE3610": "two changes contradict each other",
    "PE3611": "a forecast ends before it begins",
    "PE3612": "both sides of a comparison are the same",
    "PE3613": "a bundle cannot be compared with anything",
    "PE3614": "a picture cannot be written in a file of that name",
    "PE3615": "a pack file that is to be tried is no pack",
}
"""Codes of looking ahead; docs/reference/codes.md has an entry for every one."""
