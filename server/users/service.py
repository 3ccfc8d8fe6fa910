"""Users: made, changed and disabled by administrators; passwords also by their owners. One unit of work a call."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.errors import NotFound, PermissionDenied
from models.states import Role
from models.users import User, UserCredential
from server.audit import audited, differences, made, removed
from server.auth.identity.principal import Principal
from server.auth.identity.repository import password_digest, revoke_sessions
from server.context import ServerContext
from server.core.idempotency import existing_record
from server.core.paging import PageQuery, search_page
from server.core.revisions import WHATEVER, Expected
from server.users.rules import require_free_username, settle_access
from server.users.schemas import UserCreate, UserReply, UserUpdate
from sync.shared.schemas import Page


def list_users(
    context: ServerContext, wanted: PageQuery, *, role: Role | None = None, active: bool | None = None
) -> Page[UserReply]:
    """Return a page of users by name; of one role, or of those who may or may not sign in, where that is asked for."""
    by_name = select(User).where(User.deleted_at.is_(None)).order_by(User.username, User.id)
    equal = {User.role: role, User.active: active}
    by_name = by_name.where(*(column == value for column, value in equal.items() if value is not None))
    return search_page(context.database, by_name, User, UserReply, wanted)


def get_user(context: ServerContext, user_id: str) -> UserReply:
    """Return one user; ``NotFound`` ``user-unknown``."""
    with context.database.read() as session:
        return UserReply.model_validate(_user(session, user_id))


def create_user(context: ServerContext, who: Principal, body: UserCreate) -> tuple[UserReply, bool]:
    """Make a user and return it, and whether it is new.

    Raises:
        Conflict: ``username-taken`` or ``id-taken``.
        InvalidInput: as ``require_password``.
    """
    digest = context.passwords.digest(body.password, body.username, body.display_name)
    content = body.model_dump(exclude={"id", "password"})
    with context.database.transaction(who.user_id) as session:
        existing = existing_record(session, User, body.id, content)
        if existing is not None:
            return UserReply.model_validate(existing), False
        require_free_username(session, body.username, body.id or "")
        user = User(**content) if body.id is None else User(id=body.id, **content)
        session.add(user)
        session.flush()
        session.add(UserCredential(user_id=user.id, password_digest=digest))
        audited(session, who, "user.created", "user", user.id, changes=made(content))
        session.flush()
        return UserReply.model_validate(user), True


def update_user(
    context: ServerContext, who: Principal, user_id: str, body: UserUpdate, expected: Expected = WHATEVER
) -> UserReply:
    """Change a user; one that is disabled is signed out everywhere.

    Raises:
        NotFound: ``user-unknown``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``last-admin`` or ``member-read-only``.
    """
    changes = body.given()
    with context.database.transaction(who.user_id) as session:
        user = _user(session, user_id)
        expected.require(UserReply.model_validate(user), body)
        changed = differences({name: getattr(user, name) for name in changes}, changes)
        for name, value in changes.items():
            setattr(user, name, value)
        settle_access(session, who, user, changed)
        if changed:
            audited(session, who, "user.changed", "user", user.id, changes=changed)
        session.flush()
        return UserReply.model_validate(user)


def delete_user(context: ServerContext, who: Principal, user_id: str, expected: Expected = WHATEVER) -> None:
    """Mark a user deleted and end their sessions; records keep their name.

    Raises:
        NotFound: ``user-unknown``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``last-admin``.
    """
    with context.database.transaction(who.user_id) as session:
        user = _user(session, user_id)
        expected.require(UserReply.model_validate(user))
        gone = removed({"username": user.username, "display_name": user.display_name, "role": user.role})
        user.active = False
        user.deleted_at = utc_now()
        settle_access(session, who, user, ("deleted_at",))
        audited(session, who, "user.deleted", "user", user.id, changes=gone)


def set_password(
    context: ServerContext, who: Principal, user_id: str, password: str, expected: Expected = WHATEVER
) -> None:
    """Give a user a new password and end their sessions.

    Raises:
        NotFound: ``user-unknown``.
        PreconditionFailed: ``revision-mismatch``.
        InvalidInput: as ``require_password``.
    """
    with context.database.read() as session:
        known = _user(session, user_id)
    digest = context.passwords.digest(password, known.username, known.display_name)
    with context.database.local_transaction(who.user_id) as session:
        user = _user(session, user_id, locked=True)
        expected.require(UserReply.model_validate(user))
        _keep_digest(session, user.id, digest)
        revoke_sessions(session, user.id)
        audited(session, who, "user.password-set", "user", user.id)


def change_own_password(
    context: ServerContext, who: Principal, current: str, new: str, address: str, expected: Expected = WHATEVER
) -> None:
    """Let a user choose a new password, knowing the present one; every session of the user ends.

    Raises:
        PermissionDenied: ``person-needed`` for a machine.
        PermissionDenied: ``password-wrong``.
        InvalidInput: as ``require_password``.
        TooManyRequests: ``sign-in-too-often``.
    """
    if who.user_id is None:
        raise PermissionDenied("person-needed")
    attempt = context.limiter.user(who.username, address)
    with context.database.read() as session:
        digest = password_digest(session, who.user_id)
    if not context.passwords.matches(current, digest):
        raise PermissionDenied("password-wrong")
    attempt.succeeded()
    set_password(context, who, who.user_id, new, expected)


def _keep_digest(session: Session, user_id: str, digest: str) -> None:
    credential = session.get(UserCredential, user_id)
    if credential is None:
        session.add(UserCredential(user_id=user_id, password_digest=digest))
        return
    credential.password_digest = digest
    credential.updated_at = utc_now()


def _user(session: Session, user_id: str, *, locked: bool = False) -> User:
    user = session.get(User, user_id, with_for_update=locked)
    if user is None or user.deleted_at is not None:
        raise NotFound("user-unknown")
    return user
