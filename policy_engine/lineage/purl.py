"""Package URLs (ECMA-427): read leniently, written in the one canonical way.

Rules: the type is in lower case, and namespace, name and version where their registry ignores case; percent-encoding is
the same everywhere; qualifiers are sorted, empty ones left out; empty segments, ``.`` and ``..`` say nothing.

>>> str(package_url("pkg:PyPI/Typing_Extensions@4.1?b=2&A=1"))
'pkg:pypi/typing-extensions@4.1?a=1&b=2'
>>> package_url("pkg:pypi") is None
True
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

_TYPE: Final = re.compile(r"[a-z.+-][a-z0-9.+-]*")
_KEY: Final = re.compile(r"[a-z._-][a-z0-9._-]*")

# The type definitions of the specification: whose names are the same in any case.
_NAMESPACE_IGNORES_CASE: Final = frozenset(
    {"alpm", "apk", "bitbucket", "composer", "deb", "github", "golang", "hex", "npm", "qpkg", "rpm", "vscode-extension"}
)
_NAME_IGNORES_CASE: Final = (_NAMESPACE_IGNORES_CASE - {"rpm"}) | {"bitnami", "oci", "otp", "pub", "pypi"}
_VERSION_IGNORES_CASE: Final = frozenset({"huggingface", "oci", "vscode-extension"})


@dataclass(frozen=True, slots=True)
class PackageUrl:
    """The parts of a package URL, decoded and in the case that its type asks for."""

    type: str
    namespace: tuple[str, ...]
    name: str
    version: str = ""
    qualifiers: tuple[tuple[str, str], ...] = ()
    subpath: tuple[str, ...] = ()

    def __str__(self) -> str:
        path = "/".join(quote(segment, safe=":") for segment in (*self.namespace, self.name))
        version = f"@{quote(self.version, safe=':')}" if self.version else ""
        pairs = "&".join(f"{key}={quote(value, safe=':/')}" for key, value in self.qualifiers)
        below = "/".join(quote(segment, safe=":") for segment in self.subpath)
        return f"pkg:{self.type}/{path}{version}{f'?{pairs}' if pairs else ''}{f'#{below}' if below else ''}"


def package_url(text: str) -> PackageUrl | None:
    """Return the parts of a package URL, or nothing where the text is none."""
    try:
        return _parse(text)
    except UnicodeDecodeError:
        return None  # percent-encoded bytes that are no text


def _parse(text: str) -> PackageUrl | None:
    # The order is that of the specification: from the right, so that what is rare cannot hide in what is free.
    rest, _, subpath = text.partition("#")
    rest, _, query = rest.partition("?")
    scheme, colon, rest = rest.partition(":")
    if scheme.lower() != "pkg" or not colon:
        return None
    type_, _, path = rest.strip("/").partition("/")
    type_ = type_.lower()
    at = path.rfind("@")
    # An `@` that begins a segment is the scope of an npm package, which many writers leave unencoded.
    version = ""
    if at > 0 and path[at - 1] != "/":
        path, version = path[:at], _decoded(path[at + 1 :])
    segments = [_decoded(segment) for segment in path.split("/") if segment]
    qualifiers = _qualifiers(query)
    if not _TYPE.fullmatch(type_) or not segments or qualifiers is None:
        return None
    below = tuple(_decoded(segment) for segment in subpath.split("/") if segment not in ("", ".", ".."))
    return _in_case(type_, segments[:-1], segments[-1], version, qualifiers, below)


def _in_case(
    type_: str,
    namespace: list[str],
    name: str,
    version: str,
    qualifiers: dict[str, str],
    subpath: tuple[str, ...],
) -> PackageUrl:
    if type_ in _NAMESPACE_IGNORES_CASE:
        namespace = [segment.lower() for segment in namespace]
    # The names of an MLflow registry have the case that its server gives them: on Databricks none.
    if type_ in _NAME_IGNORES_CASE or (type_ == "mlflow" and "databricks" in qualifiers.get("repository_url", "")):
        name = name.lower()
    if type_ == "pypi":
        name = name.replace("_", "-")
    if type_ in _VERSION_IGNORES_CASE:
        version = version.lower()
    return PackageUrl(type_, tuple(namespace), name, version, tuple(sorted(qualifiers.items())), subpath)


def _qualifiers(query: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        key = key.lower()
        if not _KEY.fullmatch(key) or key in found:
            return None  # of a qualifier that stands twice nobody knows which one is meant
        if value:
            found[key] = _decoded(value).lower() if key == "checksum" else _decoded(value)
    return found


def _decoded(text: str) -> str:
    return unquote(text, errors="strict")
