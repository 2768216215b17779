"""Colours of pictures. Text on them keeps a contrast of at least 4.5 : 1, and no meaning hangs on colour alone."""

from __future__ import annotations

from collections.abc import Mapping

from policy_reports.document import Status

PAPER = "#ffffff"
INK = "#1b2430"
MUTED = "#55606e"
LINE = "#8a95a3"
FAINT = "#eef2f6"
RULE = "#c9d1da"
ACCENT = "#1b3f73"
RED = "#9f2028"
AMBER = "#855200"
VIOLET = "#5b3a8c"
GREEN = "#1b6a3a"
GREY = "#66707c"

STATUS: Mapping[Status, str] = {
    Status.FAIL: RED,
    Status.UNKNOWN: AMBER,
    Status.WAIVED: VIOLET,
    Status.PASS: GREEN,
    Status.NOT_APPLICABLE: GREY,
}
