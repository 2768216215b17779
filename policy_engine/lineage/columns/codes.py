"""The codes of estate files, and what each means. A code keeps its meaning for ever."""

CODES: dict[str, str] = {
    "PE3401": "a file is no estate file",
    "PE3402": "an estate file is of another version",
    "PE3403": "an estate file is damaged",
    "PE3404": "estate files are not read on this kind of machine",
    "PE3405": "something that an estate file cannot hold",
    "PE3406": "an estate file cannot be read or written",
    "PE3410": "an estate file holds no policies",
    "PE3411": "what an estate file was made of has changed since",
    "PE3412": "an estate file is not relied on at this instant",
    "PE3413": "the policies of an estate file were compiled by another version of the engine",
}
"""Meaning of each code; `docs/reference/codes.md` has an entry for every one."""
