"""Reads everything a run needs from disk, once, as bytes; nothing after this touches a file."""

import glob
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from policy_dsl.words import SEVERITIES
from policy_engine.model.errors import InputError, fault
from policy_engine.packs.library import PackFiles, is_policy_file, library, pack_name, requirement, select
from policy_engine.packs.profile import Profile, parse_profile

PROFILE_NAME = "profile.toml"
DEFAULT_PACK = "eu_ai_act"
MAX_FILE_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Inputs:
    """The bytes of a run, by the names shown to people; ``folder`` is where the profile's paths start."""

    profile: Profile
    profile_bytes: bytes
    packs: PackFiles
    sources: Mapping[str, bytes]
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    trust: bytes | None = None
    folder: Path = field(default_factory=Path)
    cache: Path | None = None
    """Where compiled policies are kept between runs, if anywhere."""


def read_inputs(
    target: Path, packs: Iterable[str] = (), *, cache: Path | None = None, with_sources: bool = True
) -> Inputs:
    """Read a profile, a folder that holds one, or a single inventory or BOM.

    ``packs`` replaces the profile's packs; a single file without any is checked by the default pack. Without sources,
    the facts come from elsewhere, and packs are enough where there is no profile.

    Raises:
        InputError: something is not there, cannot be read or is not a profile.
    """
    if target.is_dir():
        if not (target / PROFILE_NAME).is_file():
            if packs and not with_sources:
                return Inputs(Profile(packs=tuple(packs)), b"", _packs(tuple(packs), Path()), {}, cache=cache)
            raise fault(
                "PE0001",
                f"there is no `{PROFILE_NAME}` in `{target}`",
                help="name an inventory file, or write a profile" if with_sources else "name a profile, or packs",
            )
        return _from_profile(target / PROFILE_NAME, tuple(packs), cache, with_sources)
    if target.suffix == ".toml":
        return _from_profile(target, tuple(packs), cache, with_sources)
    if not with_sources:
        raise fault("PE0007", f"`{target}` is no profile, and the facts come from elsewhere")
    names = tuple(packs) or (DEFAULT_PACK,)
    profile = Profile(packs=names, sources=(target.name,))
    return Inputs(profile, b"", _packs(names, Path()), {str(target): read_file(target)}, cache=cache)


def read_file(path: Path) -> bytes:
    """Read one file.

    Raises:
        InputError: PE0001 or PE0002.
    """
    try:
        if not path.is_file():
            missing = not path.exists()
            raise fault("PE0001", f"`{path}` does not exist" if missing else f"`{path}` is not a file")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise fault("PE0002", f"`{path}` is larger than {MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise fault("PE0002", f"`{path}` cannot be read: {(error.strerror or 'unknown reason').lower()}") from error


def _from_profile(path: Path, packs: tuple[str, ...], cache: Path | None, with_sources: bool) -> Inputs:
    data = read_file(path)
    profile = parse_profile(data, str(path))
    folder = path.parent
    trust = read_file(folder / profile.trust) if profile.trust else None
    chosen = _packs(packs or profile.packs, folder)
    if packs:
        # What the profile sets for packs that were left out has nothing to set.
        kept = {n: v for n, v in profile.parameters.items() if n.rpartition(".")[0] in chosen.names}
        levels = {n: v for n, v in profile.enforcement.items() if n in SEVERITIES or _speaks_of(n, chosen.names)}
        profile = replace(profile, packs=packs, parameters=kept, enforcement=levels)
    return Inputs(
        profile=profile,
        profile_bytes=data,
        packs=chosen,
        sources=_matching(profile.sources, folder, required=True) if with_sources else {},
        evidence=_matching(profile.evidence, folder, required=False),
        trust=trust,
        folder=folder,
        cache=cache,
    )


def _speaks_of(name: str, packs: frozenset[str]) -> bool:
    """Tell whether a name is that of one of some packs, of a pack above one, or of a rule in one."""
    return any(name == p or p.startswith(f"{name}.") or name.startswith(f"{p}.") for p in packs)


def _packs(specifications: tuple[str, ...], folder: Path) -> PackFiles:
    own: dict[str, bytes] = {}
    names: list[str] = []
    asked: list[tuple[str, str, frozenset[str]]] = []
    for written in specifications:
        name, version = requirement(written)
        matched: dict[str, bytes] = {}
        if is_policy_file(name):
            matched = _matching((name,), folder, required=True)
            own |= matched
        else:
            names.append(name)
        if version is not None:
            asked.append((version, name, frozenset(matched)))
    found = select(names, own)
    for file in own:
        _refuse_replacement(file, own[file])
    versions = tuple((version, matched or _files_of(name, found)) for version, name, matched in asked)
    return replace(found, versions=versions)


def _files_of(name: str, packs: PackFiles) -> frozenset[str]:
    named = {file: pack_name(file, data) or "" for file, data in packs.files.items()}
    return frozenset(file for file, pack in named.items() if pack == name or pack.startswith(f"{name}."))


def _refuse_replacement(file: str, data: bytes) -> None:
    """Refuse a file that would stand in the place of a library pack: its rules would pass for those of the library."""
    name = pack_name(file, data)
    if name is not None and name in library() and library()[name][1] != data:
        raise fault("PE2015", f"`{file}` has the name of the library pack `{name}`", help="give it a name of its own")


def _matching(patterns: tuple[str, ...], folder: Path, *, required: bool) -> dict[str, bytes]:
    """Read the files of patterns such as ``bom/*.json``, by path relative to the folder, sorted."""
    found: dict[str, bytes] = {}
    reports: list[str] = []
    for pattern in patterns:
        reports += _unreadable_folders(pattern, folder)
        paths = sorted(glob.glob(pattern, root_dir=folder or None, recursive=True))  # noqa: PTH207 - names stay relative
        files = [p for p in paths if (folder / p).is_file()]
        odd = [p for p in paths if p not in files and not (folder / p).is_dir()]
        reports += [str(fault("PE0002", f"`{folder / p}` is no readable file")) for p in odd]
        if not files and (required or not glob.has_magic(pattern)):
            reports.append(str(fault("PE0006", f"no file matches `{pattern}` in `{folder}`")))
        found.update((Path(p).as_posix(), read_file(folder / p)) for p in files)
    if reports:
        raise InputError(reports)
    return dict(sorted(found.items()))


def _unreadable_folders(pattern: str, folder: Path) -> list[str]:
    """Report the folders that a pattern looks into and that cannot be listed: a glob takes them for empty."""
    reports: list[str] = []
    parts = Path(pattern).parts
    above = {"", *(str(Path(*parts[:number])) for number in range(1, len(parts)))}
    for each in sorted(above):
        inside = glob.glob(each, root_dir=folder or None, recursive=True) if each else [""]  # noqa: PTH207 - as below
        for found in sorted(folder / one for one in inside if (folder / one).is_dir()):
            try:
                next(found.iterdir(), None)
            except OSError as error:
                reason = (error.strerror or "unknown reason").lower()
                reports.append(str(fault("PE0002", f"`{found}` cannot be read: {reason}")))
    return reports
