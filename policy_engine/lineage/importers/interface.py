"""What an importer is: it knows its format when it sees it, and says what a document of that format asserts."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source


class Format(Protocol):
    """A format that is known when seen."""

    @property
    def name(self) -> str:
        """The name of the format, as sources state it."""

    @property
    def sign(self) -> str:
        """What a document of this format is known by, for a person who wonders why theirs is not."""

    def detects(self, document: Document) -> bool:
        """Tell whether a document is of this format."""


class Importer(Format, Protocol):
    """Reads a format of which every document stands for itself."""

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what a document asserts, and what is wrong with its shape.

        ``source`` names the document; the claims' own source adds who asserts it and when. The schema says what there
        is a place for; whether the claims fit it is checked when they are joined.
        """


@runtime_checkable
class LogImporter(Format, Protocol):
    """Reads a format of which a document is a part of a log: what one tells may take the place of what another told."""

    def claims_of_log(self, parts: Sequence[tuple[Document, Source]], schema: Schema) -> Claims:
        """Return what all documents of the format together assert, each of them a source; otherwise as an importer."""
