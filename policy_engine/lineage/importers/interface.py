"""What an importer is: it knows its format when it sees it, and says what a document of that format asserts."""

from typing import Protocol

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.claims import Claims
from policy_engine.lineage.documents import Document
from policy_engine.lineage.graph import Source


class Importer(Protocol):
    """Reads one format."""

    @property
    def name(self) -> str:
        """The name of the format, as sources state it."""

    @property
    def sign(self) -> str:
        """What a document of this format is known by, for a person who wonders why theirs is not."""

    def detects(self, document: Document) -> bool:
        """Tell whether a document is of this format."""

    def claims(self, document: Document, source: Source, schema: Schema) -> Claims:
        """Return what a document asserts, and what is wrong with its shape.

        ``source`` names the document; the claims' own source adds who asserts it and when. The schema says what there
        is a place for; whether the claims fit it is checked when they are joined.
        """
