"""An inventory in lines (NDJSON): its head on the first line, then one entry on each, read as they stream by.

Rules: UTF-8 and strict JSON; a line has at most ``MAX_LINE`` bytes; empty lines are skipped; the head is that of an
inventory without its ``nodes``.

>>> import io
>>> findings = Findings("estate.ndjson")
>>> lines = Lines(io.BytesIO(b'{"inventory": 1}\\n{"id": "scorer", "kind": "Model"}\\n'), "estate.ndjson", findings)
>>> lines.source(Schema()).format, list(lines)
('inventory', [(2, {'id': 'scorer', 'kind': 'Model'})])
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Final

from policy_dsl.typed.schema import Schema
from policy_engine.lineage.binding import describe
from policy_engine.lineage.documents import Document, Limits, read_documents
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Source
from policy_engine.lineage.importers.inventory import InventoryImporter
from policy_engine.lineage.store.findings import Findings
from policy_engine.model.progress import Progress, silent

MAX_LINE: Final = 16 * 1024 * 1024
"""The longest line in bytes: a thing with some hundred thousand edges."""

_LIMITS: Final = Limits(max_bytes=MAX_LINE)
_HEAD: Final = 'begin with a line such as `{"inventory": 1, "asserted_by": "AI governance office"}`'


class Lines:
    """The JSON objects of a stream, each with the number of its line, and the digest of all bytes read."""

    def __init__(self, stream: BinaryIO, file: str, findings: Findings, progress: Progress = silent) -> None:
        self._stream = stream
        self._file = file
        self._findings = findings
        self._progress = progress
        self._hash = hashlib.sha256()
        self._number = 0

    @property
    def sha256(self) -> str:
        """The digest of what was read, in text form."""
        return f"sha256:{self._hash.hexdigest()}"

    def __iter__(self) -> Iterator[tuple[int, dict[str, object]]]:
        """Yield the objects; whatever else a line holds is taken down as a problem."""
        while (line := self.document()) is not None:
            number, document = line
            if document is None:
                continue
            if isinstance(document.content, dict):
                yield number, document.content
            else:
                message = f"a mapping is expected on a line, not {describe(document.content)}"
                self._findings.error("PE3121", message, number)

    def source(self, schema: Schema) -> Source:
        """Read the head, and return the source that it describes; its digest is known when all is read."""
        line = self.document()
        number, document = line or (1, None)
        source = Source(self._file, "", "inventory", self._file)
        content = document.content if document else None
        if document is None or not isinstance(content, dict) or "inventory" not in content or "nodes" in content:
            if line is None or document is not None:
                message = "the first line is not the head of an inventory without `nodes`"
                self._findings.error("PE3314", message, number, advice=_HEAD)
            return source
        claims = InventoryImporter().claims(replace(document, content={**content, "nodes": []}), source, schema)
        for problem in claims.problems:
            self._findings.take(replace(problem, line=number))
        return claims.sources[0]

    def document(self) -> tuple[int, Document | None] | None:
        """Read on to the next line that is not empty; its document, if it is one; nothing at the end."""
        while data := self._line():
            if data.isspace():
                continue
            try:
                # The name has JSON read as JSON, whatever the line begins with.
                return self._number, read_documents("line.json", data, _LIMITS)[0]
            except LineageError as error:
                self._findings.take(replace(error.problem, file=self._file, line=self._number))
                return self._number, None
        return None

    def _line(self) -> bytes:
        data = self._stream.readline(MAX_LINE + 1)
        self._hash.update(data)
        self._progress.step(count=len(data))
        self._number += bool(data)
        if len(data) > MAX_LINE:
            message = f"the line has more than {MAX_LINE} bytes"
            self._findings.error("PE3313", message, self._number, advice="write one thing on each line")
            while data and not data.endswith(b"\n"):
                data = self._stream.readline(MAX_LINE)
                self._hash.update(data)
                self._progress.step(count=len(data))
            return b"\n"
        return data
