"""Keys: `keys` holds and uses them, `files` keeps them on disk, `certificates` serves the signatures of PDF reports."""
