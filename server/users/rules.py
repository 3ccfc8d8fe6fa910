"""The rules that users keep, whichever door a change comes through: REST and sync push both ask here."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.errors import Conflict
from models.states import Role
from models.users import User, UserCredential
from server.auth.identity.repository import revoke_sessions
from sync.shared.records import name_taken

_DECIDES_ACCESS = frozenset({"active", "role", "deleted_at"})


def require_free_username(session: Session, username: str, besides: str) -> None:
    """Check that no other user has a name.

    Raises:
        Conflict: ``username-taken``, by a user whose name differs in case or width at most.
    """
    if name_taken(session, User, username, besides):
        raise Conflict("username-taken", username=username)


def settle_access(session: Session, user: User, changed: Collection[str]) -> None:
    """End the sessions of a user who was disabled, deleted or given another role; forget the password of a deleted one.

    Args:
        session: the transaction that has made the change.
        user: the user after the change.
        changed: the columns that changed.

    Raises:
        Conflict: ``last-admin`` when nobody could administer the server any more.
    """
    if _DECIDES_ACCESS.isdisjoint(changed):
        return
    session.flush()
    admins = select(func.count()).where(User.role == Role.ADMIN, User.active.is_(True), User.deleted_at.is_(None))
    if session.scalar(admins) == 0:
        raise Conflict("last-admin")
    if not user.active or user.deleted_at is not None or "role" in changed:
        revoke_sessions(session, user.id)
    credential = session.get(UserCredential, user.id) if user.deleted_at is not None else None
    if credential is not None:
        session.delete(credential)
