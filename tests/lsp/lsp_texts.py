"""Two packs of one author, with emoji where columns are counted."""

from pathlib import Path

from policy_dsl.lsp.documents import LibraryFile

COMMON = """\
policy bank.common
    title "Shared"
    source "Handbook 😀"

use std.ai

parameter max_age: Duration = 90 days
    "How old 😀 a datasheet may be."

define live(system: System)
    "In use."
    as system.stage in {staging, production}
"""

RULES = """\
policy bank.rules
    title "Ours"
    source "Handbook, chapter 3"
    basis firm_policy
    applies from 2027-12-02

use bank.common

rule documented "😀 Data are documented"
    cites "Art. 10(2)"
    severity high
    for each System where live(system) and "😀" is not system.name
    must
        every Dataset upstream of system via trained_on
            has evidence datasheet signed by data_steward not older than max_age
    otherwise "😀 {system.name} learns from {dataset.name}, older than {max_age}"

test "a live system without data"
    at 2028-01-15
    given
        System credit { stage: production, name: "Credit" }
        Model scorer
        credit uses_model scorer
    expect pass of documented on credit
"""

LIBRARY = Path(__file__).parents[2] / "policies" / "library"
STANDARD = {
    f"std.{path.stem}": LibraryFile(path.name, path.read_text("utf-8")) for path in LIBRARY.glob("std/*.policy")
}
"""The shared vocabulary, as an editor finds it."""


def workspace(folder: Path) -> tuple[str, str]:
    """Write both packs to a folder and return their URIs."""
    common, rules = folder / "common.policy", folder / "rules.policy"
    common.write_text(COMMON, encoding="utf-8")
    rules.write_text(RULES, encoding="utf-8")
    return common.as_uri(), rules.as_uri()
