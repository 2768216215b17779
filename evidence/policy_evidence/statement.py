"""in-toto Statement v1: which subjects a predicate is about, bound by digest.

Rules: every subject has at least one digest; the algorithms we recognise have lower-case hexadecimal of exactly the
right length; a weak algorithm (SHA-1, git object names) is read and compared but never identifies a subject alone;
names are unique within a statement; fields we do not know are ignored, as the specification asks.

>>> subject = Subject("loans", {"sha256": "0" * 64, "sha1": "1" * 40})
>>> compare(subject, {"sha256": "0" * 64})
<Match.SAME: 'same'>
>>> compare(subject, {"sha256": "0" * 64, "sha1": "2" * 40})
<Match.DIFFERENT: 'different'>
>>> compare(subject, {"sha1": "1" * 40})
<Match.TOO_WEAK: 'too weak'>
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from policy_evidence.canonical import JsonValue, canonical_bytes, parse_json
from policy_evidence.errors import FormatError, quoted

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
# DSSE payload type that the in-toto specification registers for statements.
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"

STRONG_ALGORITHMS: Final = {"sha256": (64,), "sha384": (96,), "sha512": (128,)}
# Git names objects by SHA-1 or, in newer repositories, by SHA-256 of its own framing: never of the artefact's bytes.
WEAK_ALGORITHMS: Final = {"sha1": (40,), "gitCommit": (40, 64), "gitTree": (40, 64)}
_RECOGNISED: Final = STRONG_ALGORITHMS | WEAK_ALGORITHMS
_HEX = re.compile("[0-9a-f]+")
# More subjects than any bundle has members.
_MAX_SUBJECTS = 100_000


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing a statement is about: algorithm → hexadecimal digest."""

    name: str | None
    digest: Mapping[str, str]


class Match(StrEnum):
    """How the digests of a subject compare with those on record."""

    SAME = "same"
    DIFFERENT = "different"
    TOO_WEAK = "too weak"


@dataclass(frozen=True, slots=True)
class Statement:
    """A predicate and the subjects it is about."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, JsonValue]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the payload of an envelope."""
        value = parse_json(data)
        if not isinstance(value, dict):
            raise FormatError("PE4111", "the statement is not an object")
        if value.get("_type") != STATEMENT_TYPE:
            raise FormatError("PE4111", f"`_type` is not {quoted(STATEMENT_TYPE)}")
        predicate_type, predicate = value.get("predicateType"), value.get("predicate", {})
        if not isinstance(predicate_type, str) or not predicate_type:
            raise FormatError("PE4111", "`predicateType` is not a text")
        if not isinstance(predicate, dict):
            raise FormatError("PE4111", "`predicate` is not an object")
        subjects = value.get("subject")
        if not isinstance(subjects, list) or not 0 < len(subjects) <= _MAX_SUBJECTS:
            raise FormatError("PE4111", f"`subject` is not a list of 1 to {_MAX_SUBJECTS} subjects")
        return cls(_subjects(subjects), predicate_type, predicate)

    def to_bytes(self) -> bytes:
        """Return the canonical form, after checking that it reads back as the same statement."""
        data = canonical_bytes(
            {
                "_type": STATEMENT_TYPE,
                "subject": [_subject_to_json(subject) for subject in self.subjects],
                "predicateType": self.predicate_type,
                "predicate": dict(self.predicate),
            }
        )
        Statement.parse(data)
        return data


def compare(subject: Subject, known: Mapping[str, str]) -> Match:
    """Compare a subject with the digests on record.

    Every recognised algorithm that both sides give must agree, and one of those must be strong.
    """
    common = [name for name in _RECOGNISED if name in subject.digest and name in known]
    if any(subject.digest[name] != known[name] for name in common):
        return Match.DIFFERENT
    return Match.SAME if any(name in STRONG_ALGORITHMS for name in common) else Match.TOO_WEAK


def _subjects(values: list[JsonValue]) -> tuple[Subject, ...]:
    subjects = tuple(_subject(value, f"subject[{index}]") for index, value in enumerate(values))
    seen: set[str] = set()
    for subject in subjects:
        if subject.name is None:
            continue
        # Two entries of one name with two digests would let each reader believe another.
        if subject.name in seen:
            raise FormatError("PE4113", f"the subject {quoted(subject.name)} is named twice")
        seen.add(subject.name)
    return subjects


def _subject(value: JsonValue, place: str) -> Subject:
    if not isinstance(value, dict):
        raise FormatError("PE4111", f"{quoted(place)} is not an object")
    name, digests = value.get("name"), value.get("digest")
    if name is not None and not (isinstance(name, str) and name):
        raise FormatError("PE4111", f"{quoted(place + '.name')} is not a text")
    if not isinstance(digests, dict) or not digests:
        raise FormatError("PE4112", f"{quoted(place)} has no digest", "give at least `sha256`")
    return Subject(name, {algorithm: _hex(algorithm, text, place) for algorithm, text in digests.items()})


def _hex(algorithm: str, text: JsonValue, place: str) -> str:
    where = quoted(f"{place}.digest.{algorithm}")
    if not isinstance(text, str) or not text:
        raise FormatError("PE4112", f"{where} is not a text")
    lengths = _RECOGNISED.get(algorithm)
    if lengths and not (_HEX.fullmatch(text) and len(text) in lengths):
        wanted = " or ".join(str(length) for length in lengths)
        raise FormatError("PE4112", f"{where} is not {wanted} lower-case hexadecimal digits")
    return text


def _subject_to_json(subject: Subject) -> JsonValue:
    digest: JsonValue = dict(subject.digest)
    return {"digest": digest} if subject.name is None else {"name": subject.name, "digest": digest}
