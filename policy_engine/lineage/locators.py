"""The one canonical name behind the many ways in which tools write where a thing is.

Rules:

- two names mean the same thing exactly when their canonical names are equal; whatever has no rule stands for itself;
- a Hugging Face repository is ``pkg:huggingface/…``, whether a package URL, a page of the hub or ``hf://`` names it;
  its default branch, ``main``, is no version;
- an object in S3, Google Cloud or Azure storage is ``s3://``, ``gs://`` or ``abfss://``, whichever connector or web
  address names it; a slash at the end says nothing;
- a project page of PyPI and a repository of GitHub are the package URLs that they stand for;
- ``models:/name/3`` of MLflow is ``pkg:mlflow/name@3``; hex digits of digests and UUIDs are in lower case;
- letters are compared composed (Unicode NFC), so that an accent typed in two ways is one letter.

>>> canonical("https://huggingface.co/org/model/tree/main"), canonical("hf://org/model"), canonical("scorer")
('pkg:huggingface/org/model', 'pkg:huggingface/org/model', 'scorer')
>>> canonical("s3a://bucket/loans/"), canonical("https://bucket.s3.eu-west-1.amazonaws.com/loans")
('s3://bucket/loans', 's3://bucket/loans')
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import unquote, urlsplit

from policy_engine.lineage.purl import PackageUrl, package_url

LONGEST_NAME: Final = 1024
"""No name is longer; what is longer stands for itself and is refused elsewhere."""

NAMES: Final = f"a name is 1 to {LONGEST_NAME} printable characters without space at its ends"
"""What to say about a text that is no name."""

_HUB: Final = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_HUB_ADDRESSES: Final = _HUB | {f"https://{host}" for host in _HUB}
_HUB_KINDS: Final = ("datasets", "spaces")
# Pages of the hub that are no repository, though they look like the name of one.
_HUB_PAGES: Final = frozenset(
    {
        "api",
        "blog",
        "chat",
        "collections",
        "docs",
        "enterprise",
        "join",
        "learn",
        "login",
        "models",
        "new",
        "organizations",
        "papers",
        "posts",
        "pricing",
        "privacy",
        "search",
        "settings",
        "support",
        "tasks",
        "terms-of-service",
    }
)
_DEFAULT_BRANCH: Final = "main"

_AZURE: Final = re.compile(r"([a-z0-9]+)\.(?:blob|dfs)\.core\.windows\.net")
_S3_HOST: Final = re.compile(r"(?:(.+)\.)?s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com")
_UUID_URN: Final = re.compile(
    r"urn:(uuid|cdx):([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(.*)", re.I
)

# Digests by which content is told apart. MD5 and SHA-1 are not among them: two contents can be made to share one.
_HEX_DIGITS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_OF_NOTHING: Final = frozenset(hashlib.new(name).hexdigest() for name in _HEX_DIGITS)


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of a thing, which people read and write."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable() and text[0] != " " and text[-1] != " "


def canonical(name: str) -> str:
    """Return the canonical form of a name."""
    if len(name) > LONGEST_NAME:
        return name
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    scheme, colon, _ = name.partition(":")
    reader = _READERS.get(scheme.lower()) if colon else None
    return (reader(name) or name) if reader else name


def content_digest(text: object) -> str | None:
    """Return a digest that tells content apart, in canonical form, or nothing: an empty file is nobody's content.

    >>> content_digest("SHA256:" + "0A" * 32) == "sha256:" + "0a" * 32, content_digest("sha256:" + "0" * 64)
    (True, None)
    """
    if not isinstance(text, str) or len(text) > 140:
        return None
    name, _, digits = text.lower().partition(":")
    fits = _HEX_DIGITS.get(name) == len(digits) and all(digit in "0123456789abcdef" for digit in digits)
    return f"{name}:{digits}" if fits and len(set(digits)) > 1 and digits not in _OF_NOTHING else None


def package_and_version(name: str) -> tuple[str, str] | None:
    """Divide a canonical name that is a package URL into the package and its version, which may be empty.

    >>> package_and_version("pkg:huggingface/org/model@1?a=b"), package_and_version("scorer")
    (('pkg:huggingface/org/model?a=b', '1'), None)
    """
    if not name.startswith("pkg:"):
        return None
    # In a canonical package URL these signs are encoded wherever they do not divide it.
    end = min(at for at in (name.find("?"), name.find("#"), len(name)) if at >= 0)
    path, _, version = name[:end].partition("@")
    return (path + name[end:], version)


def _package(name: str) -> str | None:
    found = package_url(name)
    if found is None:
        return None
    if found.type == "huggingface":
        return _hub_name(found)
    return str(found)


def _hub_name(found: PackageUrl) -> str:
    """Write a repository of the hub without what is so by default."""
    said = tuple(
        (key, value)
        for key, value in found.qualifiers
        if key != "repository_url" or value.rstrip("/") not in _HUB_ADDRESSES
    )
    version = "" if found.version == _DEFAULT_BRANCH else found.version
    return str(replace(found, version=version, qualifiers=said))


def _hub_uri(name: str) -> str | None:
    """Read ``hf://[datasets/]org/name[@revision]``; KServe writes the revision after a colon."""
    parts = [part for part in name.partition("://")[2].split("/") if part]
    kind = parts.pop(0) if parts and parts[0] in _HUB_KINDS else ""
    if not 1 <= len(parts) <= 2:
        return None  # a file within a repository is not the repository
    last, _, revision = parts[-1].replace("@", ":", 1).partition(":")
    return _hub(kind, [*parts[:-1], last], unquote(revision))


def _hub_page(parts: list[str]) -> str | None:
    kind = parts.pop(0) if parts and parts[0] in _HUB_KINDS else ""
    if not parts or parts[0] in _HUB_PAGES:
        return None
    at = next((index for index, part in enumerate(parts) if part in ("tree", "commit")), len(parts))
    revision = parts[at + 1 :]
    if not 1 <= at <= 2 or len(revision) > 1:
        return None
    return _hub(kind, parts[:at], unquote(revision[0]) if revision else "")


def _hub(kind: str, parts: list[str], revision: str) -> str | None:
    if not all(parts):
        return None
    namespace = ((kind,) if kind else ()) + tuple(parts[:-1])
    return _hub_name(PackageUrl("huggingface", namespace, parts[-1], revision.lower()))


def _registered_model(name: str) -> str | None:
    """Read ``models:/name/version``; an alias or a stage in place of the version moves, and is no identity."""
    parts = name.partition(":")[2].strip("/").split("/")
    if len(parts) != 2 or not all(parts) or not (parts[1].isascii() and parts[1].isdigit()):
        return None
    return str(PackageUrl("mlflow", (), parts[0], parts[1]))


def _bucket(scheme: str) -> Callable[[str], str | None]:
    def read(name: str) -> str | None:
        place = name.partition("://")[2].rstrip("/")
        return f"{scheme}://{place}" if place else None

    return read


def _azure_uri(name: str) -> str | None:
    container, at, rest = name.partition("://")[2].partition("@")
    host, _, path = rest.partition("/")
    account = _AZURE.fullmatch(host.lower())
    return _azure(account[1], container, path) if account and container and at else None


def _azure(account: str, container: str, path: str) -> str:
    return f"abfss://{container}@{account}.dfs.core.windows.net/{path}".rstrip("/")


def _web(name: str) -> str | None:
    try:
        address = urlsplit(name)
        host, port = address.hostname, address.port
    except ValueError:
        return None  # brackets or a port that no address has
    if not host:
        return None
    path = address.path.rstrip("/")
    if not address.query and not address.fragment:
        parts = [part for part in path.split("/") if part]
        if host in _HUB and (repository := _hub_page(parts)):
            return repository
        if found := _stored(host, path.lstrip("/")) or _project(host, parts):
            return found
    user, at, _ = address.netloc.rpartition("@")
    at_port = "" if port in (None, 443 if address.scheme == "https" else 80) else f":{port}"
    query = f"?{address.query}" if address.query else ""
    fragment = f"#{address.fragment}" if address.fragment else ""
    # RFC 3986 section 3.2.2: without its brackets an IPv6 address would run into the port.
    host = f"[{host}]" if ":" in host else host
    return f"{address.scheme}://{user}{at}{host}{at_port}{path}{query}{fragment}"


def _stored(host: str, path: str) -> str | None:
    """Read the web address of an object in a store, where the name of the object is percent-encoded."""
    try:
        path = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None
    first, _, rest = path.partition("/")
    if (s3 := _S3_HOST.fullmatch(host)) and (s3[1] or first):
        return f"s3://{s3[1]}/{path}".rstrip("/") if s3[1] else f"s3://{path}"
    if host == "storage.googleapis.com" and first:
        return f"gs://{path}"
    if (azure := _AZURE.fullmatch(host)) and first:
        return _azure(azure[1], first, rest)
    return None


def _project(host: str, parts: list[str]) -> str | None:
    match host, parts:
        case "pypi.org", ["project", project, *version] if len(version) < 2:
            return _package(f"pkg:pypi/{project}{''.join(f'@{v}' for v in version)}")
        case "github.com", [owner, repository]:
            return _package(f"pkg:github/{owner}/{repository.removesuffix('.git')}")
    return None


def _urn(name: str) -> str | None:
    # RFC 8141 section 3.1: `urn` and the namespace ignore case; so do the digits of a UUID.
    found = _UUID_URN.fullmatch(name)
    if found:
        return f"urn:{found[1].lower()}:{found[2].lower()}{found[3]}"
    scheme, namespace, *rest = name.split(":", 2)
    return f"{scheme.lower()}:{namespace.lower()}:{rest[0]}" if rest else None


_READERS: Final[dict[str, Callable[[str], str | None]]] = {
    "pkg": _package,
    "hf": _hub_uri,
    "http": _web,
    "https": _web,
    "models": _registered_model,
    "urn": _urn,
    **dict.fromkeys(("s3", "s3a", "s3n"), _bucket("s3")),
    **dict.fromkeys(("gs", "gcs"), _bucket("gs")),
    **dict.fromkeys(("abfs", "abfss", "wasb", "wasbs"), _azure_uri),
    **dict.fromkeys(_HEX_DIGITS, content_digest),
}
