"""Deleting old images from this station, and telling of a disk that is nearly full."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.station.applied_settings import applied_settings
from models.errors import Conflict, Unavailable
from sync.station.retention import Retention, RetentionReport, RetentionRule
from sync.station.status import SyncStatus

if TYPE_CHECKING:
    from app.station.workspace import Workspace

_MEGABYTE = 1_000_000


def retention_rule(workspace: Workspace) -> RetentionRule | None:
    """Return how long images stay at this station: as the server says, else its own setting; None keeps all."""
    with workspace.database.read() as session:
        return applied_settings(session, workspace.device_id, workspace.settings).retention


def apply_retention(
    workspace: Workspace,
    *,
    days: int | None = None,
    dry_run: bool = False,
    step: Callable[[int], None] = lambda _: None,
) -> RetentionReport:
    """Delete the images that are old and that the server has acknowledged.

    Args:
        workspace: the station's store.
        days: instead of the setting.
        dry_run: only count them.
        step: called with the number of files deleted so far.

    Raises:
        Conflict: ``not-enrolled``; ``retention-not-set`` without ``days`` where no setting says how long images stay.
        UserFacingError: when the store cannot be written.
    """
    rule = retention_rule(workspace)
    if days is not None:
        rule = replace(rule, days=days) if rule else RetentionRule(days, workspace.settings.retention_keep_ng)
    if rule is None:
        raise Conflict("retention-not-set")
    device_id = workspace.require_device()
    return Retention(workspace.database, workspace.blobs, device_id, rule, step=step).apply(dry_run=dry_run)


def disk_warning(workspace: Workspace, status: SyncStatus) -> Unavailable | None:
    """Return the notice of a disk that is nearly full, None while there is room.

    Nothing is deleted for it: what the server has not acknowledged is nowhere else.
    """
    free = free_bytes(workspace.store)
    if free >= workspace.settings.disk_warning_mb * _MEGABYTE:
        return None
    return Unavailable("disk-nearly-full", free=round(free / _MEGABYTE), waiting=status.blobs_waiting)


def free_bytes(folder: Path) -> int:
    """Return the free space of the disk that holds ``folder``, in bytes."""
    return shutil.disk_usage(folder).free
