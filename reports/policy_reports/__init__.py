"""Reports: one neutral document, many formats; nothing here evaluates anything.

- `document` is the document with its JSON form (`to_json`, `from_json`) and its schema; `queries` counts and orders it.
- `sarif`, `junit` and `markdown` render it for machines and for CI; they need nothing but pydantic.
- `pdf.render`, `pdf.sign` and `pdf.verify` make the auditor's report and check it; they load the libraries they need.
- `pictures.render` draws lineage and forecasts as SVG, PNG or HTML.
- `errors` has the one exception and all codes.
"""

from __future__ import annotations

from policy_reports.document import AssessmentDocument, document_schema
from policy_reports.errors import CODES, ReportError

__all__ = ["CODES", "AssessmentDocument", "ReportError", "document_schema"]
