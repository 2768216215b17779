"""The auditor's assessment report as PDF: rendering, signing and verifying.

No module is imported here, so that verifying a report does not load the modules that draw one.
"""

from __future__ import annotations

ATTACHMENT = "assessment.json"
"""Name of the attached document."""
FIELD = "Signature1"
"""Name of the signature field."""
