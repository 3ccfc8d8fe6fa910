"""Edits of this station that lost to newer ones: shown side by side, left as they are or made again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.station.operations.users import SignedInUser, require_trainer
from sync.station import conflicts
from sync.station.conflicts import ShownConflict

if TYPE_CHECKING:
    from app.station.workspace import Workspace

MOST_SHOWN = 200
"""Conflicts that one list shows: a person works from the top, and the next ones follow."""


def conflict_list(workspace: Workspace, *, seen: bool = False) -> list[ShownConflict]:
    """Return the conflicts that nobody has decided about, oldest first; with ``seen`` the others too."""
    with workspace.database.read() as session:
        return conflicts.list_conflicts(session, seen=seen, limit=MOST_SHOWN)


def keep_theirs(workspace: Workspace, user: SignedInUser, conflict_ids: Sequence[str]) -> int:
    """Leave the values that were kept and return of how many conflicts that was open.

    Raises:
        PermissionDenied: ``role-not-enough``.
    """
    require_trainer(user)
    return conflicts.keep_theirs(
        workspace.database, list(conflict_ids), actor=user.username, device_id=workspace.require_device()
    )


def take_mine(workspace: Workspace, user: SignedInUser, conflict_id: str) -> None:
    """Set the value that lost again, as a new edit of ``user``, and ask for a pass.

    Raises:
        PermissionDenied: ``role-not-enough``.
        UserFacingError: as ``sync.station.conflicts.take_mine``.
    """
    require_trainer(user)
    conflicts.take_mine(
        workspace.database,
        conflict_id,
        user_id=user.user_id,
        actor=user.username,
        device_id=workspace.require_device(),
    )
    workspace.request_sync()
