"""A waiver: one rule, for one subject, until one instant, approved by a named person.

A waiver never changes a rule. It cannot be open-ended and cannot name rules by a pattern.

>>> WaiverPredicate(
...     rule="eu_ai_act.data_governance.training_data_documented",
...     reason="the datasheet is being translated",
...     approver="J. Peeters",
...     issued="2027-12-01T00:00:00Z",
...     expires="2028-01-01T00:00:00Z",
... ).ticket is None
True
"""

from typing import Annotated

from pydantic import StringConstraints

from policy_evidence.shapes import RULE_PATTERN, Document, Instant, Text


class WaiverPredicate(Document):
    """Who accepts which failure, why and until when; the subject is that of the statement."""

    rule: Annotated[str, StringConstraints(strict=True, pattern=RULE_PATTERN, max_length=400)]
    reason: Text
    ticket: Text | None = None
    approver: Text
    issued: Instant
    expires: Instant
