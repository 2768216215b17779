"""Finding policy files: the library that comes with the engine, and an organisation's own files.

A pack is one file; ``eu_ai_act`` selects the pack of that name and all packs below it, such as
``eu_ai_act.data_governance``. What selected packs use comes along, but its rules are not evaluated.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from policy_engine.model.errors import fault

_HEADER = re.compile(
    rb"^(?:\xef\xbb\xbf)?(?:[ \t\r\n]|#[^\n]*\n)*policy[ \t]+([^\W\d]\w*(?:\.[^\W\d]\w*)*)".replace(
        rb"[^\W\d]\w*", rb"[A-Za-z_]\w*"
    )
)
_USE = re.compile(rb"^use[ \t]+([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PackFiles:
    """Policy files by the name shown in messages, and the names of the packs whose rules count."""

    files: Mapping[str, bytes]
    selected: frozenset[str]


def library_folder() -> Path:
    """Return the folder of the library: beside the code in an installation, in the repository in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_library"
    return installed if installed.is_dir() else package.parent / "policies" / "library"


@cache
def library() -> Mapping[str, tuple[str, bytes]]:
    """Return the library's packs: name → (file name, content)."""
    folder = library_folder()
    packs: dict[str, tuple[str, bytes]] = {}
    for path in sorted(folder.rglob("*.policy")):
        data = path.read_bytes()
        name = pack_name(data)
        if name is not None:
            packs[name] = (f"library/{path.relative_to(folder).as_posix()}", data)
    return packs


def pack_name(data: bytes) -> str | None:
    """Return the name in a policy file's header, or nothing when it does not begin with one.

    >>> pack_name(b"# ours\\npolicy bank.models title \\"x\\"")
    'bank.models'
    """
    found = _HEADER.match(data)
    return found[1].decode() if found else None


def packs_used(data: bytes) -> tuple[str, ...]:
    """Return the names of the packs that a policy file uses."""
    return tuple(name.decode() for name in _USE.findall(data))


def select(names: Iterable[str], own: Mapping[str, bytes]) -> PackFiles:
    """Return library packs by name, the organisation's own files, and everything that these use.

    Raises:
        InputError: PE0004, no pack has one of the names.
    """
    known = library()
    by_name = {pack_name(data): file for file, data in own.items()}
    selected = {name for name in by_name if name is not None}
    for wanted in names:
        found = {name for name in known if name == wanted or name.startswith(f"{wanted}.")}
        if not found:
            near = get_close_matches(wanted, {n.split(".")[0] for n in known} | set(known), n=1)
            raise fault("PE0004", f"there is no pack `{wanted}`", help=f"did you mean `{near[0]}`?" if near else None)
        selected |= found
    files = dict(own)
    waiting = sorted(selected - set(by_name)) + [u for data in own.values() for u in packs_used(data)]
    while waiting:
        name = waiting.pop()
        if name in known and name not in by_name:
            file, data = known[name]
            by_name[name] = file
            files[file] = data
            waiting += packs_used(data)
    return PackFiles(dict(sorted(files.items())), frozenset(selected))
