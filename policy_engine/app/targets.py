"""What to take stock of: a profile, and any files and folders beside it.

Rules: what a profile names or a person names is meant; what merely lies in a folder is read if its name ends as those
of documents do, and Markdown only where it begins with front matter, since most of it is prose.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from policy_engine.app.inputs import PROFILE_NAME, Inputs, read_file, read_inputs
from policy_engine.model.errors import fault

SUFFIXES: Final = frozenset({".json", ".jsonl", ".jsonld", ".md", ".ndjson", ".yaml", ".yml"})
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Targets:
    """What was read; ``lying`` are the sources that nobody named and that merely lay in a folder."""

    inputs: Inputs
    lying: frozenset[str] = frozenset()


def read_targets(targets: tuple[Path, ...], packs: tuple[str, ...] = (), *, cache: Path | None = None) -> Targets:
    """Read a profile or a folder with one, and any number of files and of folders without one.

    Raises:
        InputError: something is not there or cannot be read, nothing is left to read, or there are two profiles.
    """
    profiles = [path for path in targets if path.suffix == ".toml" or (path / PROFILE_NAME).is_file()]
    if len(profiles) > 1:
        raise fault("PE0007", f"`{profiles[0]}` and `{profiles[1]}` are two profiles", help="name one of them")
    named: dict[str, Path] = {}
    lying: dict[str, Path] = {}
    for target in targets:
        if target in profiles:
            continue
        if not target.is_dir():
            named[target.as_posix()] = target
            continue
        for path in _within(target):
            # The files of one folder are called as they are within it, like those of a profile.
            lying[(path.relative_to(target) if len(targets) == 1 else path).as_posix()] = path
    files = dict(sorted({**lying, **named}.items()))
    if not files and not profiles:
        listed = " or ".join(f"`{target}`" for target in targets)
        known = ", ".join(sorted(SUFFIXES))
        raise fault("PE0008", f"there is no file to read in {listed}", help=f"files are read that end in {known}")
    inputs = read_inputs(profiles[0] if profiles else next(iter(files.values())), packs, cache=cache)
    if profiles:
        files = _beside(inputs, files)
    sources = {name: read_file(path) for name, path in files.items()} | (dict(inputs.sources) if profiles else {})
    return Targets(
        replace(inputs, sources=dict(sorted(sources.items()))), frozenset(lying.keys() & files.keys() - named.keys())
    )


def _beside(inputs: Inputs, files: dict[str, Path]) -> dict[str, Path]:
    """Return the files that the profile does not read anyway."""
    read = {(inputs.folder / name).resolve() for name in inputs.sources}
    others = {name: path for name, path in files.items() if path.resolve() not in read}
    for name in others:
        if name in inputs.sources:
            message = f"`{name}` has the name of another source, which the profile reads"
            raise fault("PE0007", message, help="name it by its whole path")
    return others


def _within(folder: Path) -> list[Path]:
    """Return the files below a folder that could be read, without what is hidden; links to folders are not followed."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(place) / name for name in files if not name.startswith("."))
        found += [path for path in paths if path.suffix.lower() in SUFFIXES and path.is_file() and _is_meant(path)]
    return found


def _is_meant(path: Path) -> bool:
    if path.suffix.lower() != ".md":
        return True
    try:
        with path.open("rb") as file:
            return file.read(16).removeprefix(_BYTE_ORDER_MARK).startswith(b"---")
    except OSError:
        return True  # read again, and told, with all the others
