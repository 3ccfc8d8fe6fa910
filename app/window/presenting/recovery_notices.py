"""Notices on what was put in order when the store was opened: shown once, after the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.window.presenting.notices import Level, Notices
from models.errors import Unavailable

if TYPE_CHECKING:
    from app.station.recovery import Recovery


def add_recovery_notices(notices: Notices, recovery: Recovery) -> None:
    """Add what a person should know of ``recovery``; nothing after an orderly end.

    Parts that can be resumed are not among it: their own screen offers them.
    """
    if recovery.sessions_failed or recovery.temporary_files_removed:
        ended = Unavailable(
            "window-station-ended-early",
            parts=recovery.sessions_failed,
            files=recovery.temporary_files_removed,
        )
        notices.add("recovery", ended, level=Level.HINT)
    if recovery.missing_blobs:
        notices.add("missing-files", Unavailable("window-files-missing", count=len(recovery.missing_blobs)))
