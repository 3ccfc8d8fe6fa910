"""How far the station and its server agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.station.engine import SyncProgress, SyncReport, SyncStatus, stored_status

if TYPE_CHECKING:
    from app.station.workspace import Workspace


def sync_status(workspace: Workspace) -> SyncStatus:
    """Return what waits, when it last succeeded, and what went wrong; works before enrolment too."""
    engine = workspace.engine
    return engine.status() if engine is not None else stored_status(workspace.database)


def sync_now(workspace: Workspace, progress: Callable[[SyncProgress], None] | None = None) -> SyncReport:
    """Do one pass now, in this thread.

    Raises:
        Conflict: ``not-enrolled``, or ``sync-already-running`` in another process.
        UserFacingError: when the server does not answer or refuses; what waits stays.
    """
    return workspace.link.engine.run_once(progress)
