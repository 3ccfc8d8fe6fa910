"""How far the station and its server agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from models.errors import Conflict
from sync.shared.protocol import MAX_SKEW_MS
from sync.station.engine import SyncProgress, SyncReport, SyncStatus, stored_status

if TYPE_CHECKING:
    from app.station.workspace import Workspace

_MILLISECONDS, _MINUTE_S = 1000, 60


def sync_status(workspace: Workspace) -> SyncStatus:
    """Return what waits, when it last succeeded, and what went wrong; works before enrolment too."""
    engine = workspace.engine
    return engine.status() if engine is not None else stored_status(workspace.database)


def clock_warning(workspace: Workspace) -> Conflict | None:
    """Return that this computer's clock is wrong, as ``station-clock-ahead`` or ``station-clock-behind``.

    By the server's clock, as its last answer named it: a difference beyond which edits are not dated by this one.
    """
    ahead = workspace.link.client.clock_ahead_s if workspace.enrolled else None
    if ahead is None or abs(ahead) * _MILLISECONDS <= MAX_SKEW_MS:
        return None
    code = "station-clock-ahead" if ahead > 0 else "station-clock-behind"
    return Conflict(code, minutes=round(abs(ahead) / _MINUTE_S))


def sync_now(workspace: Workspace, progress: Callable[[SyncProgress], None] | None = None) -> SyncReport:
    """Do one pass now, in this thread.

    Raises:
        Conflict: ``not-enrolled``, or ``sync-already-running`` in another process.
        UserFacingError: when the server does not answer or refuses; what waits stays.
    """
    return workspace.link.engine.run_once(progress)
