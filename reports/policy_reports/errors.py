"""The one error of this package, and the meaning of every code.

A bad input raises `ReportError` with a code, one plain sentence and, where one can be given, what to do about it.
Only a PDF that does not verify is no exception: `pdf.verify` returns failures as values, with codes of the same list.

>>> str(ReportError("PE6001", "the document is not JSON: line 1 column 1"))
'PE6001: the document is not JSON: line 1 column 1'
"""

from __future__ import annotations

CODES: dict[str, str] = {
    "PE6001": "The assessment is not readable JSON.",
    "PE6002": "The assessment does not have the published shape.",
    "PE6003": "The assessment contradicts itself.",
    "PE6004": "A renderer lost or invented a result.",
    "PE6101": "The signing key cannot be read.",
    "PE6102": "The signing key is not an RSA key of at least 3072 bits.",
    "PE6103": "A certificate for signing cannot be used.",
    "PE6104": "The PDF to be signed has no empty signature field of ours.",
    "PE6201": "The file is no PDF, or the signature in it cannot be read.",
    "PE6202": "The PDF does not carry exactly one signature.",
    "PE6203": "The signature does not cover the whole file.",
    "PE6204": "The space that holds the signature is not in its one written form.",
    "PE6205": "The signature is not in its one encoded form.",
    "PE6206": "The signature does not match the file.",
    "PE6207": "The signer is not trusted.",
    "PE6208": "The signature is not a certification that forbids every change.",
    "PE6209": "The PDF carries more than the signed document.",
    "PE6210": "The PDF has no readable assessment attached.",
    "PE6211": "A trusted root certificate cannot be read.",
    "PE3703": "A picture is asked for in a format that it cannot have.",
    "PE3704": "A timeline contradicts itself.",
    "PE3705": "A graph to be drawn contradicts itself.",
    "PE3706": "A picture is too large for its format.",
    "PE3707": "The part that draws pictures of dots is not installed.",
}


class ReportError(Exception):
    """A document, key or PDF that cannot be used; `code` is one of `CODES`."""

    def __init__(self, code: str, message: str, *, help: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.help = help
