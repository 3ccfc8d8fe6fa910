"""The rules that users keep, whichever door a change comes through: REST and sync push both ask here."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.devices import EnrolmentCode
from models.errors import Conflict
from models.states import Role
from models.users import ApiKey, User, UserCredential
from server.audit import audited, made
from server.auth.identity.principal import Principal
from server.auth.identity.repository import revoke_sessions
from sync.shared.records import name_taken

_MAKER_LEFT = "maker-without-access"
_DECIDES_ACCESS = frozenset({"active", "role", "deleted_at"})


def require_free_username(session: Session, username: str, besides: str) -> None:
    """Check that no other user has a name.

    Raises:
        Conflict: ``username-taken``, by a user whose name differs in case or width at most.
    """
    if name_taken(session, User, username, besides):
        raise Conflict("username-taken", username=username)


def settle_access(session: Session, who: Principal, user: User, changed: Collection[str]) -> None:
    """End what a user has access by who was disabled, deleted or given another role.

    These are the user's sessions, the password of a deleted user, and the keys and open enrolment codes that a former
    administrator has made: nobody may go on with them whom no administrator answers for.

    Args:
        session: the transaction that has made the change.
        who: whoever makes the change, for the audit trail.
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
    if not user.active or user.deleted_at is not None or user.role is not Role.ADMIN:
        _revoke_what_was_made(session, who, user)


def _revoke_what_was_made(session: Session, who: Principal, user: User) -> None:
    now = utc_now()
    keys = select(ApiKey).where(ApiKey.created_by_id == user.id, ApiKey.revoked_at.is_(None))
    for key in session.scalars(keys).all():
        key.revoked_at = now
        changes = made({"revoked_at": now})
        of = {"created_by": key.created_by, "reason": _MAKER_LEFT}
        audited(session, who, "key.revoked", "api_key", key.id, **of, changes=changes)
    codes = select(EnrolmentCode).where(
        EnrolmentCode.created_by_id == user.id,
        EnrolmentCode.used_at.is_(None),
        EnrolmentCode.withdrawn_at.is_(None),
        EnrolmentCode.expires_at > now,
    )
    for code in session.scalars(codes.with_for_update()).all():
        code.withdrawn_at = now
        audited(
            session,
            who,
            "enrolment-code.withdrawn",
            "enrolment_code",
            code.id,
            created_by=code.created_by,
            reason=_MAKER_LEFT,
            changes=made({"withdrawn_at": now}),
        )
