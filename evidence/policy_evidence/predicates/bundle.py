"""The manifest of an audit bundle: its subjects are all the other members, so the predicate itself says little.

>>> BundlePredicate(format=1, created="2028-01-15T00:00:00Z").format
1
"""

from typing import Literal

from policy_evidence.shapes import Document, Instant


class BundlePredicate(Document):
    """Which form of bundle this is and when it was put together."""

    format: Literal[1]
    created: Instant
