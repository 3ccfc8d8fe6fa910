"""Durations as people read them."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

MINUTE_S = 60


def duration_text(seconds: float) -> str:
    """Return a time that is left, rounded so that it does not flicker: seconds in fives, then minutes."""
    if seconds < MINUTE_S:
        rounded = max(5, -int(-seconds // 5) * 5)
        return QCoreApplication.translate("Duration", "%n s", "", rounded)
    return QCoreApplication.translate("Duration", "%n min", "", -int(-seconds // MINUTE_S))
