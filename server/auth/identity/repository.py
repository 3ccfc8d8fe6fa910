"""Queries of sign-in."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.devices import Device
from models.errors import PermissionDenied
from models.prepared import Prepared
from models.states import DeviceStatus, Role
from models.users import ApiKey, AuthSession, User, UserCredential
from server.auth.identity.principal import Principal
from server.auth.identity.tokens import Token, TokenKind

_SHARED = {"read": True}


_OF_SESSION = (
    select(User.id, User.username, User.role)
    .join(AuthSession, AuthSession.user_id == User.id)
    .where(
        AuthSession.id == bindparam("session_id"),
        AuthSession.revoked_at.is_(None),
        AuthSession.expires_at > bindparam("now"),
        User.id == bindparam("user_id"),
        User.active,
        User.deleted_at.is_(None),
    )
)
_ACTIVE_DEVICE = select(Device.id).where(Device.id == bindparam("device_id"), Device.status == DeviceStatus.ACTIVE)
_DEVICE_OF_TOKEN = Prepared(_ACTIVE_DEVICE.where(Device.token_generation == bindparam("generation")))
_SIGNED_IN, _SIGNED_IN_AT_DEVICE = Prepared(_OF_SESSION), Prepared(_OF_SESSION.where(_ACTIVE_DEVICE.exists()))


def signed_in(connection: Connection, token: Token) -> Principal | None:
    """Return the principal of a sign-in's token; None when user, station or sign-in are no longer valid.

    One statement for every request: what was revoked before it is not good for it.
    """
    if token.kind is TokenKind.DEVICE:
        given = {"device_id": token.device_id, "generation": token.generation}
        active = _DEVICE_OF_TOKEN.first(connection, given) is not None
        return Principal.of_device(token.subject) if active else None
    values = {"session_id": token.session_id, "user_id": token.subject, "now": utc_now()}
    query = _SIGNED_IN
    if token.device_id is not None:
        query, values = _SIGNED_IN_AT_DEVICE, {**values, "device_id": token.device_id}
    found = query.first(connection, values)
    return None if found is None else Principal(found.id, found.username, found.role, token.device_id, token.session_id)


def active_user(session: Session, user_id: str, *, locked: bool = False) -> User | None:
    """Return a user who may sign in; ``locked`` keeps others from changing the user until the transaction ends."""
    user = session.get(User, user_id, with_for_update=_SHARED if locked else None)
    return user if user is not None and user.active and user.deleted_at is None else None


def password_digest(session: Session, user_id: str, *, locked: bool = False) -> str | None:
    """Return the digest of a user's password; ``locked`` keeps it from being changed until the transaction ends."""
    credential = session.get(UserCredential, user_id, with_for_update=_SHARED if locked else None)
    return credential.password_digest if credential else None


def active_device(session: Session, device_id: str, *, locked: bool = False) -> Device | None:
    """Return a station that may talk to the server; ``locked`` keeps others from disabling it meanwhile."""
    device = session.get(Device, device_id, with_for_update=_SHARED if locked else None)
    return device if device is not None and device.status is DeviceStatus.ACTIVE else None


def live_key(session: Session, digest: str) -> ApiKey | None:
    """Return the API key of a digest while it is good."""
    key = session.scalar(select(ApiKey).where(ApiKey.key_digest == digest))
    if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= utc_now()):
        return None
    return key


def require_maker(session: Session, who: Principal) -> None:
    """Check that whoever answers for a new key or code still may make it, and keep that so until the transaction ends.

    Raises:
        PermissionDenied: ``role-not-allowed``.
    """
    if who.answers_id is None:
        return
    maker = active_user(session, who.answers_id, locked=True)
    if maker is None or maker.role is not Role.ADMIN:
        raise PermissionDenied("role-not-allowed", roles=Role.ADMIN.value)


def revoke_sessions_at(session: Session, device_id: str) -> None:
    """End every session that a user has signed in at a station."""
    session.execute(
        update(AuthSession)
        .where(AuthSession.device_id == device_id, AuthSession.revoked_at.is_(None))
        .values(revoked_at=utc_now())
    )


def revoke_sessions(session: Session, user_id: str) -> None:
    """End every signed-in session of a user."""
    session.execute(
        update(AuthSession)
        .where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None))
        .values(revoked_at=utc_now())
    )
