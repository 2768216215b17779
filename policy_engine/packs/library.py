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

from policy_dsl.source import LITERATE_SUFFIX, SourceFile
from policy_engine.model.errors import fault

POLICY_SUFFIX = ".policy"

_HEADER = re.compile(r"(?:\s|#[^\n]*\n)*policy[ \t]+([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_USE = re.compile(r"^use[ \t]+([^\W\d]\w*(?:\.[^\W\d]\w*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PackFiles:
    """Policy files by the name shown in messages, and the names of the packs whose rules count."""

    files: Mapping[str, bytes]
    selected: frozenset[str]
    own: frozenset[str] = frozenset()
    """The organisation's own files: their packs are selected whatever a look at their first lines makes of them."""
    versions: tuple[tuple[str, frozenset[str]], ...] = ()
    """Versions that the profile asks for, each with the files that it asks it of."""

    @property
    def names(self) -> frozenset[str]:
        """The names of all packs, those that are only used by others too."""
        return frozenset(name for file, data in self.files.items() if (name := pack_name(file, data)) is not None)


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
    for path in sorted(p for p in folder.rglob("*") if is_policy_file(p.name)):
        data = path.read_bytes()
        name = pack_name(path.name, data)
        if name is not None:
            packs[name] = (f"library/{path.relative_to(folder).as_posix()}", data)
    return packs


def pack_name(file: str, data: bytes) -> str | None:
    """Return the name in a policy file's header, or nothing when it does not begin with one.

    >>> pack_name("ours.policy", b"# ours\\npolicy bank.models title \\"x\\"")
    'bank.models'
    """
    found = _HEADER.match(_policy_text(file, data))
    return found[1] if found else None


def packs_used(file: str, data: bytes) -> tuple[str, ...]:
    """Return the names of the packs that a policy file uses."""
    return tuple(_USE.findall(_policy_text(file, data)))


def is_policy_file(name: str) -> bool:
    """Tell whether a file's name is that of a pack, plain or literate."""
    return name.endswith((POLICY_SUFFIX, LITERATE_SUFFIX))


def _policy_text(file: str, data: bytes) -> str:
    return SourceFile(file, data.decode("utf-8-sig", errors="replace")).policy_text


def requirement(written: str) -> tuple[str, str | None]:
    """Split ``eu_ai_act@1.2`` into a pack or file and the version that is asked for, if one is.

    >>> requirement("eu_ai_act@1.2"), requirement("bank.policy")
    (('eu_ai_act', '1.2'), ('bank.policy', None))
    """
    name, at, version = written.partition("@")
    return name, version if at else None


def select(names: Iterable[str], own: Mapping[str, bytes]) -> PackFiles:
    """Return library packs by name, the organisation's own files, and everything that these use.

    Raises:
        InputError: PE0004, no pack has one of the names.
    """
    known = library()
    by_name = {pack_name(file, data): file for file, data in own.items()}
    selected = {name for name in by_name if name is not None}
    for wanted in names:
        found = {name for name in known if name == wanted or name.startswith(f"{wanted}.")}
        if not found:
            near = get_close_matches(wanted, {n.split(".")[0] for n in known} | set(known), n=1)
            raise fault("PE0004", f"there is no pack `{wanted}`", help=f"did you mean `{near[0]}`?" if near else None)
        selected |= found
    files = dict(own)
    waiting = sorted(selected - set(by_name)) + [u for file, data in own.items() for u in packs_used(file, data)]
    while waiting:
        name = waiting.pop()
        if name in known and name not in by_name:
            file, data = known[name]
            by_name[name] = file
            files[file] = data
            waiting += packs_used(file, data)
    return PackFiles(dict(sorted(files.items())), frozenset(selected), frozenset(own))
