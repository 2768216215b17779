"""What an engine found: for each rule, the numbers of the things that do not meet it; and one digest of everything."""

import hashlib
from collections.abc import Iterable

Findings = dict[str, Iterable[int]]
"""By rule; things for which `r2` is unknown, because nobody states their risk class, are by themselves."""

R2_UNKNOWN = "r2 unknown"


def digest(findings: Findings) -> str:
    """Return a digest that engines have in common exactly if they found the same."""
    made = hashlib.sha256()
    for rule, subjects in sorted(findings.items()):
        made.update(f"{rule}: {','.join(map(str, sorted(map(int, subjects))))}\n".encode())
    return made.hexdigest()[:12]


def counts(findings: Findings) -> dict[str, int]:
    """Return how many things there are for each rule."""
    return {rule: len(list(subjects)) for rule, subjects in sorted(findings.items())}
