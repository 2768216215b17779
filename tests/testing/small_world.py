"""A small vocabulary for tests of the test tools, and packs made of it."""

WORLD = """\
policy world
    version "1.0.0"
    applies from 2027-01-01

enum Stage { planning, testing, production }
role steward
role auditor
node System { stage: Stage risk: Integer score: Number since: Date legacy: Boolean = false label: Text cost: Money }
node Model { accuracy: Number open: Boolean }
node Dataset { personal: Boolean rows: Integer }
node Filter { masks: Boolean }
edge uses from System to Model reverse used_by part
edge calls from System to System reverse called_by lineage
edge trained_on from Model to Dataset reverse trains lineage
edge tested_on from Model to Dataset reverse tests lineage
edge derived_from from Dataset, Filter to Dataset, Filter reverse source_of lineage
evidence audit on System, Model, Dataset { passed: Boolean grade: Integer }
"""

FILE = "world.policy"


def rule(requirement: str, *, scope: str = "", clauses: str = "") -> str:
    """Return a rule named ``r`` about systems."""
    where = f" where {scope}" if scope else ""
    return f"rule r\n    for each System{where}\n    must\n        {requirement}\n{clauses}"


def pack(*parts: str) -> dict[str, bytes]:
    """Return the world with more declarations."""
    return {FILE: "\n".join([WORLD, *parts, ""]).encode()}


IDLE = """\
test "weak"
    at 2028-01-01
    given
        System s
    expect not_applicable of idle on s
"""
"""A test that says nothing about ``r``."""

IDLE_RULE = "rule idle\n    applies from 2099-01-01\n    for each System\n    must\n        true\n"
