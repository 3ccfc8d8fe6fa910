"""Changes that the server refused: shown to everybody, sent again or given up by those who may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_documents_path

from app.station.operations.users import SignedInUser, require_inspector, require_trainer
from models.synced import Master, synced_types
from sync.station import resending
from sync.station.dead_letters import DeadLetter, export_dead_letters, list_dead_letters
from sync.station.dropping import Consequences, consequences, drop
from sync.station.mending import value_of

if TYPE_CHECKING:
    from app.station.workspace import Workspace

MOST_SHOWN = 200
"""Letters that one list shows: a person works from the top, and the next ones follow."""


def dead_letter_list(workspace: Workspace) -> list[DeadLetter]:
    """Return the refused changes, oldest first, ``MOST_SHOWN`` at most."""
    with workspace.database.read() as session:
        return list_dead_letters(session, MOST_SHOWN)


def send_again(workspace: Workspace, user: SignedInUser, letter: DeadLetter, texts: Mapping[str, str]) -> None:
    """Put a refused change back into the outbox in the name of ``user`` and ask for a pass.

    Args:
        workspace: the open station.
        user: who answers for it from now on.
        letter: the refused change.
        texts: fields with their right values as typed.

    Raises:
        PermissionDenied: ``role-not-enough``; masters are changed by those who may train.
        NotFound: ``dead-letter-unknown`` when it was dealt with meanwhile.
        InvalidInput: as ``value_of`` and ``mended_values``.
    """
    if is_master(letter):
        require_trainer(user)
    else:
        require_inspector(user)
    fields = {name: value_of(letter.entity, name, text) for name, text in texts.items()}
    resending.resend(
        workspace.database,
        letter.change_id,
        fields,
        actor=user.username,
        device_id=workspace.require_device(),
        user_id=user.user_id,
    )
    workspace.request_sync()


def send_all_again(workspace: Workspace, user: SignedInUser, code: str) -> int:
    """Put the changes refused for one reason back into the outbox as they are, ask for a pass, and return how many.

    They stay in the name of who made them: that reason has gone, such as a first sign-in that was missing.

    Raises:
        PermissionDenied: ``role-not-enough``.
    """
    require_inspector(user)
    count = resending.resend_all(workspace.database, code, actor=user.username, device_id=workspace.require_device())
    workspace.request_sync()
    return count


def what_goes_with(workspace: Workspace, letter: DeadLetter) -> Consequences:
    """Return what goes with a refused change that is given up.

    Raises:
        NotFound: ``dead-letter-unknown`` when it was dealt with meanwhile.
    """
    with workspace.database.read() as session:
        return consequences(session, letter.change_id)


def give_up(workspace: Workspace, user: SignedInUser, letter: DeadLetter, reason: str, agreed: Consequences) -> None:
    """Give a refused change up for good with what goes with it; what it was stays in the audit trail.

    Raises:
        PermissionDenied: ``role-not-enough``.
        NotFound: ``dead-letter-unknown`` when it was dealt with meanwhile.
        Conflict: ``dead-letter-more-waits`` when something else goes with it than was ``agreed``.
    """
    require_trainer(user)
    drop(
        workspace.database,
        letter.change_id,
        actor=user.username,
        device_id=workspace.require_device(),
        reason=reason,
        agreed=agreed,
    )
    workspace.request_sync()


def export_file(workspace: Workspace, now: datetime, folder: Path | None = None) -> Path:
    """Write all refused changes to a new file in the person's documents and return it.

    Args:
        workspace: the open station.
        now: local time, for the name of the file.
        folder: instead of the documents of the person at this computer.

    Raises:
        InvalidInput: ``blob-not-written`` when the file cannot be written.
    """
    path = (folder or user_documents_path()) / f"imageflow-refused-{now:%Y%m%d-%H%M%S}.jsonl"
    export_dead_letters(workspace.database, path)
    return path


def is_master(letter: DeadLetter) -> bool:
    """Return whether a refused change is one of a master."""
    kind = synced_types().get(letter.entity)
    return kind is not None and issubclass(kind, Master)
