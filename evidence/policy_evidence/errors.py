"""Every way in which evidence can be refused: one base exception and one table of codes.

Rules: a message is one plain line, lower case at the start, without a final period, with the user's own text in
backticks; `help` says what to do about it; `step` is set when a step of a verification procedure failed. A code keeps
its meaning for ever.

>>> error = EvidenceError("PE4003", "not JSON: a value is missing (line 1, column 5)")
>>> str(error)
'PE4003: not JSON: a value is missing (line 1, column 5)'
"""

from dataclasses import dataclass
from typing import Final

CODES: Final[dict[str, str]] = {
    # Reading and writing JSON
    "PE4001": "The file is larger than the limit for its kind.",
    "PE4002": "The text is not plain UTF-8, or begins with a byte order mark.",
    "PE4003": "The text is not JSON.",
    "PE4004": "An object has the same key twice.",
    "PE4005": "A number cannot be represented exactly: NaN, infinite, out of range, or an integer beyond 2^53 - 1.",
    "PE4006": "The document is nested too deeply.",
    "PE4007": "A text holds half of a surrogate pair.",
    "PE4008": "The value cannot be written as canonical JSON.",
    "PE4009": "An instant is not written as RFC 3339 UTC with whole seconds.",
    # Envelopes, statements, predicates
    "PE4101": "The file is not a DSSE envelope.",
    "PE4102": "A field of the envelope is not strict base64.",
    "PE4103": "The envelope has no signature, or too many.",
    "PE4104": "The payload of the envelope is not an in-toto statement.",
    "PE4111": "The statement does not have the shape of an in-toto Statement v1.",
    "PE4112": "A digest of a subject is missing or malformed.",
    "PE4113": "The statement names the same subject twice.",
    "PE4121": "The predicate does not have the shape of its type.",
    "PE4122": "The predicate type is not known.",
    # Keys and certificates
    "PE4201": "The text is not a key of an accepted kind.",
    "PE4202": "The Ed25519 public key is not a sound point: low order, mixed order or a second spelling.",
    "PE4203": "The public key is not in the one canonical encoding.",
    "PE4204": "The passphrase is wrong, or the key file is damaged.",
    "PE4205": "The private key is encrypted and no passphrase was given.",
    "PE4206": "A passphrase was given for a private key that is not encrypted.",
    "PE4207": "The passphrase is empty or too long.",
    "PE4208": "A file already exists where a private key would be written.",
    "PE4209": "The key file cannot be read or written.",
    "PE4210": "The kind of key does not suit its purpose.",
    "PE4211": "The content asked for in a certificate is not acceptable.",
    "PE4212": "The text is not a certificate of a certificate authority.",
    # The trust file
    "PE4301": "The trust file is not YAML.",
    "PE4302": "The trust file uses a feature of YAML that can hide meaning: alias, anchor, tag or merge.",
    "PE4303": "The trust file has the same key twice in one mapping.",
    "PE4304": "The trust file does not have the expected shape.",
    "PE4305": "A public key in the trust file cannot be used.",
    "PE4306": "One public key is registered under two names.",
    "PE4307": "A role names a key that is not registered, or names it twice.",
    "PE4308": "The threshold of a role can never be reached.",
    "PE4309": "The validity of a key ends before it begins.",
    "PE4310": "A role may sign something that is not a predicate type.",
    "PE4311": "A root certificate for reports cannot be used.",
    "PE4312": "The trust file has expired.",
    # Judging signed statements
    "PE4401": "No key of the trust file made any of the signatures.",
    "PE4402": "No signing key was valid at the instant of issue.",
    "PE4403": "No role of the signers may sign this type of statement.",
    "PE4404": "Fewer distinct keys signed than the role requires.",
    "PE4405": "The subject is not in this inventory.",
    "PE4406": "The subject has another digest in this inventory.",
    "PE4407": "Only weak or unknown digests of the subject can be compared.",
    "PE4408": "The subject of the statement has no name.",
    "PE4409": "A waiver must be about exactly one subject.",
    "PE4410": "The statement expires before it is issued.",
    "PE4411": "The statement is of another type than the one expected here.",
    "PE4412": "The trust file has no such role.",
    # Bundles
    "PE5001": "The bundle is larger than the limit, or has too many members.",
    "PE5002": "The file is not a bundle, or is cut off.",
    "PE5003": "The name of a bundle member is not acceptable.",
    "PE5004": "The names of two bundle members collide.",
    "PE5005": "A bundle member is compressed.",
    "PE5006": "A bundle member is encrypted.",
    "PE5007": "A bundle member is a link or another special file.",
    "PE5008": "The bytes of a bundle member do not agree with its checksum.",
    "PE5009": "The bundle is not in canonical form.",
    "PE5010": "The bundle has bytes after its end.",
    "PE5101": "The bundle has no manifest.",
    "PE5102": "The manifest was not signed by someone trusted to do so.",
    "PE5103": "The manifest is not in canonical form.",
    "PE5104": "A member that the manifest lists is missing.",
    "PE5105": "The bundle has a member that the manifest does not list.",
    "PE5106": "A member is not the one that the manifest lists.",
}

# Long enough to recognise a name, short enough that a hostile document cannot flood a terminal.
_SHOWN_CHARACTERS = 80


class EvidenceError(Exception):
    """The base of every refusal; `code` is a key of `CODES`."""

    def __init__(self, code: str, message: str, advice: str | None = None, step: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.help = advice
        self.step = step


class FormatError(EvidenceError):
    """Bytes or values that are not what they should be: JSON, envelope, statement, predicate, instant."""


class KeyFileError(EvidenceError):
    """A key or certificate that cannot be read, written or used."""


class VerificationError(EvidenceError):
    """A well-formed statement that must not count; `step` names the step that failed."""


class BundleError(EvidenceError):
    """A bundle that cannot be read or must not be written."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a document: `path` such as `roles.data_steward.keys[1]`, `line` where known (from 1)."""

    code: str
    message: str
    path: str
    line: int | None = None
    help: str | None = None

    def __str__(self) -> str:
        place = (
            self.path if self.line is None else f"line {self.line}, {self.path}" if self.path else f"line {self.line}"
        )
        return f"{place}: {self.message}" if place else self.message


class TrustError(EvidenceError):
    """A trust file that must not be used, with every problem found in it, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first, more = problems[0], len(problems) - 1
        super().__init__(first.code, f"{first}{f' (and {more} more)' if more else ''}", first.help)
        self.problems = problems


def quoted(text: str) -> str:
    """Return the user's own text in backticks, on one line, with nothing a terminal would obey.

    >>> quoted("a\\x1b[2Jb")
    '`a\\\\x1b[2Jb`'
    """
    shown = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
    return "`" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown) + "`"
