"""Reading a trust file: `trust.yaml`, or the same document as JSON.

Rules: everything wrong in the file is reported at once, each with its place; nothing that is doubtful is accepted.

    format: 1
    version: 3
    expires: 2028-01-01T00:00:00Z
    keys:
      maria_2027:
        public_key: MCowBQYDK2VwAyEA…
        owner: Maria Jansen
        valid_from: 2027-01-01T00:00:00Z
    roles:
      data_steward:
        keys: [maria_2027]
        may_sign: [datasheet]
    pdf_certificates: []
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field, StrictInt, StringConstraints

from policy_evidence.canonical import JsonValue, digest, parse_json
from policy_evidence.errors import EvidenceError, FormatError, KeyFileError, Problem, TrustError, quoted
from policy_evidence.predicates import predicate_type_of, short_name_of
from policy_evidence.shapes import Document, Identifier, Instant, Path, Text, fit, path_text, published_schema
from policy_evidence.signing.certificates import check_authority
from policy_evidence.signing.keys import EVIDENCE_ALGORITHMS, KeyId, PublicKey
from policy_evidence.trust.model import EVERYTHING, Role, Trust, TrustedKey
from policy_evidence.trust.yaml_tree import Tree, parse_tree

# About eight hundred keys; the parser of YAML is slow, and nobody reviews more.
MAX_BYTES: Final = 256 * 1024
_KEY_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._@-]*$"
# RFC 3986 section 3.1: a scheme, then anything but white space.
_URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
_OWN_URIS: Final = "urn:ai-policy-engine:"

# In the JSON Schema too, a name that does not fit is refused.
_NO_OTHER_NAMES: Final = Field(json_schema_extra={"additionalProperties": False})

KeyName = Annotated[str, StringConstraints(strict=True, pattern=_KEY_NAME, max_length=100)]


class _KeyEntry(Document):
    public_key: Text
    owner: Text
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    revoked_at: Instant | None = None


class _RoleEntry(Document):
    keys: Annotated[tuple[KeyName, ...], Field(min_length=1)]
    may_sign: Annotated[tuple[Text, ...], Field(min_length=1)]
    threshold: Annotated[StrictInt, Field(ge=1)] = 1


class TrustDocument(Document):
    """The trust file as it is written."""

    format: Literal[1]
    version: Annotated[StrictInt, Field(ge=1)]
    expires: Instant
    keys: Annotated[dict[KeyName, _KeyEntry], _NO_OTHER_NAMES]
    roles: Annotated[dict[Identifier, _RoleEntry], _NO_OTHER_NAMES]
    pdf_certificates: tuple[str, ...] = ()


def trust_json_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema of the trust file, to be published as `trust-v1.schema.json`."""
    return published_schema(TrustDocument, "trust")


def parse_trust(data: bytes) -> Trust:
    """Return what the file means, or refuse it with every problem that it has."""
    tree = _tree(data)
    document = fit(TrustDocument, tree.value)
    if isinstance(document, tuple):
        raise TrustError(tuple(_located(tree, misfit.path, "PE4304", misfit.message) for misfit in document))
    reading = _Reading(document, tree)
    trust = reading.trust(digest(data))
    if reading.problems:
        raise TrustError(tuple(sorted(reading.problems, key=lambda problem: problem.line or 0)))
    return trust


def _tree(data: bytes) -> Tree:
    try:
        if data.lstrip()[:1] == b"{":
            return Tree(parse_json(data, max_bytes=MAX_BYTES), {})
        if len(data) > MAX_BYTES:
            raise FormatError("PE4001", f"{len(data)} bytes are more than the limit of {MAX_BYTES}")
        if data.startswith(b"\xef\xbb\xbf"):
            raise FormatError("PE4002", "the text begins with a byte order mark", "save it as UTF-8 without one")
        return parse_tree(data.decode("utf-8"))
    except UnicodeDecodeError as cause:
        raise TrustError((Problem("PE4002", f"the text is not UTF-8 at byte {cause.start}", ""),)) from cause
    except FormatError as cause:
        raise TrustError((Problem(cause.code, cause.message, "", help=cause.help),)) from cause


def _located(tree: Tree, path: Path, code: str, message: str, advice: str | None = None) -> Problem:
    # What is missing has no line of its own: that of the nearest thing around it is shown.
    known = next((path[:end] for end in range(len(path), -1, -1) if path[:end] in tree.lines), None)
    return Problem(code, message, path_text(path), None if known is None else tree.lines[known], advice)


class _Reading:
    """Turns a well-formed document into its meaning and collects what does not make sense."""

    def __init__(self, document: TrustDocument, tree: Tree) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._tree = tree

    def trust(self, file_digest: str) -> Trust:
        """Return the meaning; it only counts when `problems` stays empty."""
        keys = dict(self._keys())
        return Trust(
            digest=file_digest,
            version=self._document.version,
            expires=self._document.expires,
            keys={key.public_key.key_id: key for key in keys.values()},
            roles={name: self._role(name, entry, keys) for name, entry in self._document.roles.items()},
            pdf_certificates=tuple(self._certificates()),
        )

    def _problem(self, path: Path, code: str, message: str, advice: str | None = None) -> None:
        self.problems.append(_located(self._tree, path, code, message, advice))

    def _keys(self) -> Iterator[tuple[str, TrustedKey]]:
        names: dict[KeyId, str] = {}
        for name, entry in self._document.keys.items():
            path: Path = ("keys", name)
            if entry.valid_from and entry.valid_until and entry.valid_from >= entry.valid_until:
                self._problem((*path, "valid_until"), "PE4309", "is not later than `valid_from`")
            public_key = self._public_key(entry.public_key, (*path, "public_key"))
            if public_key is None:
                continue
            # Two names for one key would let one person meet a threshold of two.
            first = names.setdefault(public_key.key_id, name)
            if first != name:
                self._problem(
                    (*path, "public_key"), "PE4306", f"is the same key as {quoted(first)}", "register it once"
                )
            yield name, TrustedKey(name, public_key, entry.owner, entry.valid_from, entry.valid_until, entry.revoked_at)

    def _public_key(self, text: str, path: Path) -> PublicKey | None:
        try:
            key = PublicKey.parse(text)
        except KeyFileError as cause:
            self._problem(path, "PE4305", f"cannot be used: {cause.message} ({cause.code})", cause.help)
            return None
        if key.algorithm not in EVIDENCE_ALGORITHMS:
            self._problem(path, "PE4305", "cannot be used: an RSA key does not sign statements")
            return None
        return key

    def _role(self, name: str, entry: _RoleEntry, keys: dict[str, TrustedKey]) -> Role:
        path: Path = ("roles", name)
        for index, key in enumerate(entry.keys):
            if key not in self._document.keys:
                self._problem((*path, "keys", index), "PE4307", f"{quoted(key)} is not in `keys`")
            elif key in entry.keys[:index]:
                self._problem((*path, "keys", index), "PE4307", f"{quoted(key)} is already in this role")
        if entry.threshold > len(set(entry.keys)):
            message = f"{entry.threshold} signatures are wanted of {len(set(entry.keys))} keys"
            self._problem((*path, "threshold"), "PE4308", message)
        for index, kind in enumerate(entry.may_sign):
            if not _names_a_type(kind):
                self._problem(
                    (*path, "may_sign", index),
                    "PE4310",
                    f"{quoted(kind)} is not a type of statement",
                    "use a type of evidence such as `datasheet`, `waiver`, `decision`, `bundle`, a full URI, or `*`",
                )
        ids = frozenset(keys[key].public_key.key_id for key in entry.keys if key in keys)
        return Role(name, ids, frozenset(entry.may_sign), entry.threshold)

    def _certificates(self) -> Iterator[str]:
        for index, pem in enumerate(self._document.pdf_certificates):
            try:
                yield check_authority(pem)
            except KeyFileError as cause:
                self._problem(("pdf_certificates", index), "PE4311", f"cannot be used: {cause.message} ({cause.code})")


def _names_a_type(text: str) -> bool:
    if text == EVERYTHING:
        return True
    if text.startswith(_OWN_URIS):
        # A misspelt type of ours would never match and never be noticed.
        return short_name_of(text) is not None
    if _URI.fullmatch(text):
        return True
    try:
        predicate_type_of(text)
    except EvidenceError:
        return False
    return True
