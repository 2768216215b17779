"""A publisher's word for policy packs: each pack is a subject with its digest, and the predicate says its version.

>>> PacksPredicate(format=1, issued="2026-11-21T00:00:00Z", packs=({"name": "bank.models", "version": "1.0.0"},)).format
1
"""

from typing import Annotated, Literal

from pydantic import Field

from policy_evidence.shapes import Document, Instant, Text


class SignedPack(Document):
    """One pack by name and version; its digest stands with the subject of the same name."""

    name: Text
    version: Text


class PacksPredicate(Document):
    """Which packs, in which versions, a publisher signed, and when."""

    format: Literal[1]
    issued: Instant
    packs: Annotated[tuple[SignedPack, ...], Field(min_length=1)]
