"""The policy files an editor works with, and which of them belong together.

Files come from three places: open in the editor, on disk in a workspace folder, or in the library. A pack's name
leads to the nearest file of the workspace that declares it, else to the library. Files that use each other form a
group; a group is compiled on its own with the library packs it needs, so that two projects in one workspace do not
disturb each other.

>>> documents = Documents({"std.ai": LibraryFile("library/std/ai.policy", "policy std.ai")})
>>> documents.put("file:///w/a.policy", "policy a\\nuse std.ai")
>>> [parsed.pack for parsed in documents.parsed_group("file:///w/a.policy")]
['a', 'std.ai']
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from policy_dsl.diagnostics import Diagnostic, Diagnostics
from policy_dsl.lsp.positions import whole_characters
from policy_dsl.source import LITERATE_SUFFIX, SourceFile
from policy_dsl.syntax import ast
from policy_dsl.syntax.parser import decode, parse

SUFFIXES = (".policy", LITERATE_SUFFIX)
LARGEST_FILE = 4_000_000
"""Bytes of a file on disk beyond which it is no policy that a person wrote, and is left alone."""
MOST_FILES = 5_000
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """A pack that comes with the engine: the name shown for its file, its text, and its place if it has one."""

    name: str
    text: str
    path: Path | None = None

    @property
    def uri(self) -> str:
        """What the file is called in spans: its URI if it has a place, else its name."""
        return self.path.as_uri() if self.path is not None else self.name


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file with its tree and what parsing found."""

    source: SourceFile
    file: ast.PolicyFile
    diagnostics: tuple[Diagnostic, ...]

    @property
    def pack(self) -> str | None:
        """The name of the pack that the file declares."""
        return next((d.name.text for d in self.file.declarations if isinstance(d, ast.Header)), None)

    @property
    def uses(self) -> tuple[str, ...]:
        """The names of the packs that the file uses."""
        return tuple(d.pack.text for d in self.file.declarations if isinstance(d, ast.Use))


@dataclass(slots=True)
class Documents:
    """All policy files that the server knows, by URI."""

    library: Mapping[str, LibraryFile]
    folders: list[Path] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)
    _parsed: dict[str, Parsed] = field(default_factory=dict)

    def put(self, uri: str, text: str) -> None:
        """Set the text of a file. A library file outside the workspace is only looked at: it stays as it is."""
        if not self.is_fixed(uri):
            self._texts[uri] = whole_characters(text)

    def remove(self, uri: str) -> None:
        """Forget a file."""
        self._texts.pop(uri, None)
        self._parsed.pop(uri, None)

    def own(self) -> tuple[str, ...]:
        """Return the URIs of the files that are not the library's."""
        return tuple(self._texts)

    def text(self, uri: str) -> str | None:
        """Return the text of a file, the library's included."""
        fixed = (f.text for f in self.library.values() if f.uri == uri)
        return self._texts[uri] if uri in self._texts else next(fixed, None)

    def is_own(self, uri: str) -> bool:
        """Tell whether a file is one that the author may change."""
        return uri in self._texts

    def is_fixed(self, uri: str) -> bool:
        """Tell whether a file is the library's and not in a workspace folder."""
        file = next((f for f in self.library.values() if f.uri == uri), None)
        return file is not None and not any(file.path.is_relative_to(f) for f in self.folders if file.path)

    def parsed(self, uri: str) -> Parsed | None:
        """Return a file of the workspace with its tree."""
        text = self._texts.get(uri)
        return self._parse(uri, text) if text is not None else None

    def _parse(self, name: str, text: str) -> Parsed:
        found = self._parsed.get(name)
        if found is None or found.source.text != text:
            found = self._parsed[name] = parse_text(name, text)
        return found

    # --- groups --------------------------------------------------------------------------------------

    def parsed_group(self, uri: str) -> tuple[Parsed, ...]:
        """Return the files that must be compiled with a file: its group, then what these need of the library."""
        own = {u: p for u in self._texts if (p := self.parsed(u)) is not None}
        if uri not in own:
            fixed = [self._parse(uri, f.text) for f in self.library.values() if f.uri == uri]
            return (*fixed, *self._needed(fixed))
        neighbours = _neighbours(own)
        reached = {uri: None}
        waiting = [uri]
        while waiting:
            for near in neighbours[waiting.pop()]:
                if near not in reached:
                    reached[near] = None
                    waiting.append(near)
        files = [own[u] for u in sorted(reached)]
        return (*files, *self._needed(files))

    def _needed(self, files: list[Parsed]) -> Iterator[Parsed]:
        taken = {p.pack for p in files}
        waiting = [name for p in reversed(files) for name in p.uses]
        while waiting:
            name = waiting.pop()
            if name in taken or name not in self.library:
                continue
            taken.add(name)
            file = self.library[name]
            parsed = self._parse(file.uri, file.text)
            waiting += parsed.uses
            yield parsed

    def declaring(self) -> tuple[tuple[str, ast.PolicyFile], ...]:
        """Return every pack that a `use` could name, with its tree; an own pack stands before the library's."""
        found = {name: self._parse(f.uri, f.text).file for name, f in self.library.items()}
        for uri in self._texts:
            parsed = self.parsed(uri)
            if parsed is not None and parsed.pack is not None:
                found[parsed.pack] = parsed.file
        return tuple(sorted(found.items()))


def parse_text(name: str, text: str) -> Parsed:
    """Parse a text under a name."""
    diagnostics = Diagnostics()
    source = SourceFile(name, text)
    return Parsed(source, parse(source, diagnostics), diagnostics.sorted())


def _neighbours(own: Mapping[str, Parsed]) -> dict[str, set[str]]:
    """Join files that use each other, and files of one folder that declare one pack, which is a mistake to report."""
    by_pack: dict[str, list[str]] = {}
    for uri, parsed in own.items():
        if parsed.pack is not None:
            by_pack.setdefault(parsed.pack, []).append(uri)
    joined: dict[str, set[str]] = {uri: set() for uri in own}
    for uri, parsed in own.items():
        others = [_nearest(uri, by_pack[name]) for name in parsed.uses if name in by_pack]
        others += [o for o in by_pack.get(parsed.pack or "", ()) if _folder(o) == _folder(uri)]
        for other in others:
            joined[uri].add(other)
            joined[other].add(uri)
    return joined


def _nearest(uri: str, candidates: Iterable[str]) -> str:
    here = uri.split("/")

    def distance(other: str) -> tuple[int, str]:
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(here, other.split("/"), strict=False)))
        return -shared, other

    return min(candidates, key=distance)


def _folder(uri: str) -> str:
    return uri.rpartition("/")[0]


# --- files on disk -------------------------------------------------------------------------------------


def uri_of(uri: str) -> str:
    """Return the one form of a URI that the server uses: editors differ in what they escape.

    >>> uri_of("file:///w%2Fa%20b.policy") == uri_of("file:///w/a b.policy")
    True
    """
    path = path_of(uri)
    return path.as_uri() if path is not None else uri


def path_of(uri: str) -> Path | None:
    """Return the path of a file URI, or nothing for any other URI."""
    try:
        parts = urlsplit(uri)
        if parts.scheme != "file" or "\0" in unquote(parts.path):
            return None
        path = Path(url2pathname(parts.path))
        return path if path.is_absolute() else None
    except ValueError:
        return None


def policy_files(folder: Path) -> Iterator[Path]:
    """Find the policy files below a folder, without what is hidden or installed."""
    found = 0
    waiting = [folder]
    while waiting:
        try:
            entries = sorted(waiting.pop().iterdir())
        except OSError:
            continue  # a folder that may not be read holds nothing for the editor
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                if not entry.name.startswith(".") and entry.name not in _SKIPPED:
                    waiting.append(entry)
            elif entry.name.endswith(SUFFIXES):
                found += 1
                if found > MOST_FILES:
                    return
                yield entry


def text_on_disk(path: Path) -> str | None:
    """Read a policy file, or return nothing when it is gone or no policy by its size."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            return None
        return decode(path.name, path.read_bytes(), Diagnostics()).text
    except OSError:
        return None
