"""Keys with their windows, and roles that say which keys together may sign what.

Rules: a key's window judges the instant at which a statement claims to be issued; from its revocation on, a key's
signatures no longer count, whatever they claim, because there is no trusted time in them; a threshold counts distinct
public keys, and no public key is registered under two names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policy_evidence.errors import Problem, TrustError
from policy_evidence.instants import format_instant
from policy_evidence.predicates import short_name_of
from policy_evidence.signing.keys import KeyId, PublicKey

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A registered key: whose it is, and when it may be used (`valid_from` included, the others excluded)."""

    name: str
    public_key: PublicKey
    owner: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None

    def valid_at(self, instant: datetime) -> bool:
        """Tell whether the key may sign at `instant`."""
        return (
            (self.valid_from is None or self.valid_from <= instant)
            and (self.valid_until is None or instant < self.valid_until)
            and self.counts_at(instant)
        )

    def counts_at(self, instant: datetime) -> bool:
        """Tell whether the signatures made earlier with this key still count at `instant`."""
        return self.revoked_at is None or instant < self.revoked_at


@dataclass(frozen=True, slots=True)
class Role:
    """Which keys, how many of them together, may sign which statements."""

    name: str
    keys: frozenset[KeyId]
    may_sign: frozenset[str]
    threshold: int = 1

    def allows(self, predicate_type: str) -> bool:
        """Tell whether this role may sign statements of `predicate_type`, named in full, in short or by `*`."""
        return bool(self.may_sign & {EVERYTHING, predicate_type, short_name_of(predicate_type)})


@dataclass(frozen=True, slots=True)
class Trust:
    """One version of the trust file; `digest` is that of its bytes."""

    digest: str
    version: int
    expires: datetime
    keys: Mapping[KeyId, TrustedKey]
    roles: Mapping[str, Role]
    pdf_certificates: tuple[str, ...] = ()

    def public_keys(self) -> tuple[PublicKey, ...]:
        """Return every registered public key."""
        return tuple(key.public_key for key in self.keys.values())

    def require_current(self, instant: datetime) -> None:
        """Refuse a trust file whose time is over: whoever withholds the newer one must not profit."""
        if instant >= self.expires:
            raise TrustError(
                (
                    Problem(
                        "PE4312",
                        f"the trust file expired at {format_instant(self.expires)}",
                        "expires",
                        help="get the current trust file from its owner",
                    ),
                )
            )
