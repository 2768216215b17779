"""Whether what an estate file was made of has changed since, seen from sizes and times, or digests where times differ.

Rules:

- inputs lie where they lay: their folder is kept as seen from the folder of the estate file;
- a file of the same size and time is the same; of another time, its digest decides;
- a new file that a pattern of the profile names is a change too;
- where none of the inputs is there any more, as on a machine that has only the estate file, nothing can be said.
"""

import os
from typing import Any


def has_magic(pattern: str) -> bool:
    """Tell whether a name stands for the files that it matches."""
    return any(sign in pattern for sign in "*?[")


def matches(pattern: str, folder: str | os.PathLike[str]) -> list[Any]:
    """Return when the one folder changed that a pattern looks into, if it is one, and the files that it names now."""
    import glob

    names = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - pathlib is slow to load
    files = sorted(name.replace(os.sep, "/") for name in names if os.path.isfile(os.path.join(folder, name)))  # noqa: PTH113, PTH118
    return [_changed(pattern, folder), files]


def changes(inputs: Any, place: str) -> tuple[list[str], bool]:
    """Return what has changed, in sentences, and whether the inputs are there to be compared.

    ``place`` is the folder of the estate file; ``inputs`` is the document in it.
    """
    folder = os.path.join(place, inputs["folder"])  # noqa: PTH118 - pathlib is slow to load
    found: list[str] = []
    gone = 0
    for name, (size, time, digest) in inputs["files"].items():
        path = os.path.join(folder, name)  # noqa: PTH118 - as above
        try:
            now = os.stat(path)  # noqa: PTH116 - as above
        except OSError:
            gone += 1
            found.append(f"`{name}` is gone")
            continue
        if now.st_size != size or (now.st_mtime_ns != time and _digest(path) != digest):
            found.append(f"`{name}` has changed")
    if gone == len(inputs["files"]):
        return [], False
    for pattern, (time, files) in inputs["patterns"].items():
        if time is not None and _changed(pattern, folder) == time:
            continue
        added = [name for name in matches(pattern, folder)[1] if name not in files]
        found += [f"`{name}` is new" for name in added]
    return found, True


def _changed(pattern: str, folder: str | os.PathLike[str]) -> int | None:
    inner = os.path.dirname(pattern)  # noqa: PTH120 - as above
    if has_magic(inner):
        return None
    try:
        return os.stat(os.path.join(folder, inner)).st_mtime_ns  # noqa: PTH116, PTH118 - as above
    except OSError:
        return None


def _digest(path: str) -> str:
    import hashlib

    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError:
        return ""
