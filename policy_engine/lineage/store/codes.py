"""The codes of what can go wrong with a store of snapshots. A code keeps its meaning for ever."""

CODES: dict[str, str] = {
    # The store itself
    "PE3301": "a file or database is not a store of snapshots",
    "PE3302": "a store cannot be reached, read or written",
    "PE3303": "a store is damaged, or something else has changed it",
    "PE3304": "somebody else writes to a store for longer than is waited",
    "PE3305": "a store is of a version that is not known",
    # Asking
    "PE3306": "a store holds no such snapshot",
    "PE3307": "the beginning of a digest fits several snapshots",
    "PE3308": "a store holds no snapshot that is as old as the instant asked for",
    # Putting
    "PE3309": "a text or a number that a store cannot hold",
    # Importing
    "PE3311": "an id stands twice in one import",
    "PE3312": "an alias stands for two things in one import",
    "PE3313": "a line is longer than is read",
    "PE3314": "the first line of an inventory in lines is not its head",
    "PE3315": "a table lacks a column that it needs",
    "PE3316": "a file cannot be read as a table",
}
"""Meaning of each code; `docs/reference/codes.md` has an entry for every one."""
