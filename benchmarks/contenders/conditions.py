"""What the hand-written engines have in common: which things break the part of a rule that needs no lineage."""

from dataclasses import dataclass

import numpy as np

from benchmarks.findings import R2_UNKNOWN, Findings
from benchmarks.generator import EVIDENCE_TYPES, KINDS, NOW, TEXTS, Array, Generated
from benchmarks.rules import AUDIT_DAYS


@dataclass(frozen=True, slots=True)
class Conditions:
    """Marks of things, by number."""

    running: Array
    """Models in production."""
    no_dpia: Array
    """Datasets with personal data and no impact assessment."""
    no_agreement: Array
    """Datasets without a transfer agreement."""
    expired: Array
    """Vendors whose certificate has expired."""
    personal: Array
    """Datasets with personal data."""
    anonymises: Array
    plain: Findings
    """What the rules without lineage find."""


def conditions(estate: Generated) -> Conditions:
    """Decide everything that needs no lineage."""

    def kind(name: str) -> Array:
        return estate.kind == KINDS.index(name)

    valid = (estate.issued <= NOW) & (estate.until > NOW)

    def has(name: str, after: int = -1) -> Array:
        found = np.zeros(estate.size, bool)
        found[estate.about[valid & (estate.evidence_type == EVIDENCE_TYPES.index(name)) & (estate.issued > after)]] = (
            True
        )
        return found

    risk = estate.texts["risk_class"]
    running = kind("model") & (estate.texts["stage"] == TEXTS["stage"].index("production"))
    personal = kind("dataset") & estate.contains_pii
    high = running & (risk == TEXTS["risk_class"].index("high"))
    plain: Findings = {
        "r1": np.flatnonzero(running & ((estate.owner < 0) | (risk < 0))),
        "r2": np.flatnonzero(high & ~has("bias_audit", NOW - AUDIT_DAYS)),
        R2_UNKNOWN: np.flatnonzero(running & (risk < 0)),
    }
    return Conditions(
        running,
        personal & ~has("dpia"),
        kind("dataset") & ~has("transfer_agreement"),
        kind("vendor") & (estate.soc2_expiry >= 0) & (estate.soc2_expiry < NOW),
        personal,
        kind("anonymisation"),
        plain,
    )
