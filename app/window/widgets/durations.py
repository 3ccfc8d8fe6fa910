"""Durations as people read them."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QCoreApplication

MINUTE_S = 60


def duration_text(seconds: float) -> str:
    """Return a time that is left, rounded so that it does not flicker: seconds in fives, then minutes."""
    if seconds < MINUTE_S:
        rounded = max(5, ceil(seconds / 5) * 5)
        return QCoreApplication.translate("Duration", "%n s", "", rounded)
    minutes = ceil(seconds / MINUTE_S)
    return QCoreApplication.translate("Duration", "%n min", "", minutes)
