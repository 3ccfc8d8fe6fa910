"""Queries of sign-in."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.devices import Device
from models.states import DeviceStatus
from models.users import ApiKey, AuthSession, User, UserCredential
from server.auth.identity.principal import Principal
from server.auth.identity.tokens import Token, TokenKind

_SHARED = {"read": True}


_SIGNED_IN = (
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
_SIGNED_IN_AT_DEVICE = _SIGNED_IN.where(_ACTIVE_DEVICE.exists())


def signed_in(connection: Connection, token: Token) -> Principal | None:
    """Return who a token of a sign-in stands for; None when user, station or sign-in are not good any more.

    One statement for every request: what was revoked before it is not good for it.
    """
    if token.kind is TokenKind.DEVICE:
        active = connection.execute(_ACTIVE_DEVICE, {"device_id": token.device_id}).scalar() is not None
        return Principal.of_device(token.subject) if active else None
    values = {"session_id": token.session_id, "user_id": token.subject, "now": utc_now()}
    query = _SIGNED_IN
    if token.device_id is not None:
        query, values = _SIGNED_IN_AT_DEVICE, {**values, "device_id": token.device_id}
    found = connection.execute(query, values).one_or_none()
    return None if found is None else Principal(found.id, found.username, found.role, token.device_id, token.session_id)


def active_user(session: Session, user_id: str, *, locked: bool = False) -> User | None:
    """Return a user who may sign in; ``locked`` keeps others from changing the user until the transaction ends."""
    user = session.get(User, user_id, with_for_update=_SHARED if locked else None)
    return user if user is not None and user.active and user.deleted_at is None else None


def password_digest(session: Session, user_id: str, *, locked: bool = False) -> str | None:
    """Return the digest of a user's password; ``locked`` keeps it from being changed until the transaction ends."""
    credential = session.get(UserCredential, user_id, with_for_update=_SHARED if locked else None)
    return credential.password_digest if credential else None


def active_device(session: Session, device_id: str) -> Device | None:
    """Return a station that may talk to the server."""
    device = session.get(Device, device_id)
    return device if device is not None and device.status is DeviceStatus.ACTIVE else None


def live_key(session: Session, digest: str) -> ApiKey | None:
    """Return the API key of a digest while it is good."""
    key = session.scalar(select(ApiKey).where(ApiKey.key_digest == digest))
    if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= utc_now()):
        return None
    return key


def revoke_sessions(session: Session, user_id: str) -> None:
    """End every signed-in session of a user."""
    session.execute(
        update(AuthSession)
        .where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None))
        .values(revoked_at=utc_now())
    )
