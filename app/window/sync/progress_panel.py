"""How far a pass is, in a line for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLocale

from app.window.widgets.times import duration_text

if TYPE_CHECKING:
    from sync.station.progress import SyncProgress


def progress_text(progress: SyncProgress, locale: QLocale) -> str:
    """Return what a pass does, how much of it is done, and how long the rest takes."""
    parts = [_stage(progress.stage), _counts(progress, locale)]
    if progress.total_bytes:
        sizes = (locale.formattedDataSize(size) for size in (progress.done_bytes, progress.total_bytes))
        parts.append(" / ".join(sizes))
    if progress.seconds_left:
        left = QCoreApplication.translate("SyncProgress", "{time} left")
        parts.append(left.format(time=duration_text(progress.seconds_left)))
    return " · ".join(parts)


def _stage(stage: str) -> str:
    translate = QCoreApplication.translate
    names = {
        "push": translate("SyncProgress", "Sending records"),
        "pull": translate("SyncProgress", "Receiving records"),
        "upload": translate("SyncProgress", "Sending images"),
        "download": translate("SyncProgress", "Receiving models"),
        "snapshot": translate("SyncProgress", "Receiving everything"),
        "compare": translate("SyncProgress", "Comparing with the server"),
    }
    return names[stage]


def _counts(progress: SyncProgress, locale: QLocale) -> str:
    done = locale.toString(progress.done)
    return done if progress.total is None else f"{done} / {locale.toString(progress.total)}"
