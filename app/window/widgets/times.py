"""Times and durations as people read them."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

MINUTE_S = 60


def duration_text(seconds: float) -> str:
    """Return a time that is left, rounded so that it does not flicker: seconds in fives, then minutes."""
    if seconds < MINUTE_S:
        rounded = max(5, ceil(seconds / 5) * 5)
        return QCoreApplication.translate("Duration", "%n s", "", rounded)
    minutes = ceil(seconds / MINUTE_S)
    return QCoreApplication.translate("Duration", "%n min", "", minutes)


def local_time(moment: datetime) -> str:
    """Return date and time of ``moment`` on this station's clock, in the form of the language that is shown."""
    shown = QDateTime.fromMSecsSinceEpoch(int(moment.timestamp() * 1000))
    locale = QLocale()
    if shown.date() == QDateTime.currentDateTime().date():
        return locale.toString(shown.time(), QLocale.FormatType.ShortFormat)
    return locale.toString(shown, QLocale.FormatType.ShortFormat)
