from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The sample documents and identities beside this file are imported by name.
sys.path.insert(0, str(Path(__file__).parent))

import sample_assessments as samples
import signing_identities as identities

from policy_reports.pdf.render import render_pdf


@pytest.fixture(scope="session")
def rich_pdf() -> bytes:
    return render_pdf(samples.rich())


@pytest.fixture(scope="session")
def hostile_pdf() -> bytes:
    return render_pdf(samples.hostile())


@pytest.fixture(scope="session")
def signed_pdf(rich_pdf: bytes) -> bytes:
    """The rich report signed under an intermediate authority."""
    return identities.sign(rich_pdf, identities.deputy(), identities.intermediate(), identities.root())
