"""The errors of estate files. The classes behind them load only when something is wrong: a gate starts without them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policy_engine.lineage.errors import LineageError

AGAIN = "make it again with `policy-engine prepare`"


def estate_error(code: str, message: str, advice: str | None = AGAIN) -> "LineageError":
    """Return the error of an estate file that cannot be read or written."""
    from policy_engine.lineage.errors import lineage_error

    return lineage_error(code, message, file="estate file", advice=advice)


def damaged(what: str) -> "LineageError":
    """Return the error of a file whose parts do not fit each other."""
    return estate_error("PE3403", f"the estate file is damaged: {what}")
