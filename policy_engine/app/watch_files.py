"""When the files of a run have changed: seen from sizes and times, looked at from time to time.

Rules:

- what is looked at are the profile, the files that its patterns name now, and so new files too;
- files are read when two looks in a row found the same: whoever writes a file should have finished;
- what cannot be looked at is not there.
"""

import glob
from dataclasses import dataclass, field
from pathlib import Path

from policy_engine.app.inputs import PROFILE_NAME
from policy_engine.model.errors import InputError
from policy_engine.packs.library import is_policy_file, requirement
from policy_engine.packs.profile import parse_profile

Sight = frozenset[tuple[str, int, int, int]]
"""What a look found: each file with its size, its time and its number on the disk."""


def look(target: Path, packs: tuple[str, ...] = ()) -> Sight:
    """Look at all the files that a run of a target reads."""
    profile = target / PROFILE_NAME if target.is_dir() else target
    folder, specified, patterns, trust = Path(), packs, tuple[str, ...](), list[Path]()
    if profile.suffix == ".toml":
        folder = profile.parent
        try:
            read = parse_profile(profile.read_bytes(), str(profile))
        except (OSError, InputError):
            read = None  # reading the inputs will say what is wrong with it
        if read is not None:
            specified = packs or read.packs
            patterns = (*read.sources, *read.evidence)
            trust = [folder / read.trust] if read.trust else []
    own = [name for name in (requirement(pack)[0] for pack in specified) if is_policy_file(name)]
    files = {profile, *trust, *(folder / name for pattern in (*own, *patterns) for name in _matching(pattern, folder))}
    return frozenset(seen for path in files if (seen := _seen(path)) is not None)


def _matching(pattern: str, folder: Path) -> list[str]:
    return glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - as inputs are found


def _seen(path: Path) -> tuple[str, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (str(path), found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(slots=True)
class Follower:
    """Says when files have changed and keep still.

    >>> one, other = frozenset({("a", 1, 1, 1)}), frozenset({("a", 2, 2, 1)})
    >>> follower = Follower(one)
    >>> [follower.is_due(sight) for sight in (one, other, other, other)]
    [False, False, True, False]
    """

    read: Sight
    """What was found when the files were read last."""
    _last: Sight = field(default_factory=frozenset)

    def is_due(self, sight: Sight) -> bool:
        """Tell whether to read the files now, and take it that they are read."""
        still, self._last = sight == self._last, sight
        if sight == self.read or not still:
            return False
        self.read = sight
        return True
