"""What a station may write: only what belongs to it, and masters only for a user who may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.errors import PermissionDenied
from models.sessions import InspectionSession
from models.states import Role
from models.synced import Master, Synced
from models.users import AuthSession, User
from server.auth.identity.principal import Principal
from server.sessions.rules import SessionOwner, actions_of, require_may
from server.sync.offers import require_taken
from sync.shared.protocol import Change

_ADMINISTRATORS_ONLY = frozenset({"user", "station_config"})
_SERVER_ONLY = frozenset({"model_release", "line_stop"})
"""What is signed and staged, or ordered, on the server is not written by stations."""
_MASTER_ROLES = frozenset({Role.SUPERVISOR, Role.ADMIN})


class IdentityRefused(PermissionDenied):
    """A change claims to come from another device; it is refused and audited."""


def check_master(
    session: Session, record_type: type[Synced], present: Synced | None, change: Change, device_id: str
) -> None:
    """Check that the user whom a change of a master names may make it at a station.

    Raises:
        PermissionDenied: ``sync-server-only``; ``sync-user-may-not`` when the user may not change this master;
            ``sync-user-not-here`` when the user has never signed in at this device: user ids are no secret, so naming
            one proves nothing.
        TryLater: ``master-not-taken`` for a master of before a restore that no administrator has taken yet.
    """
    if change.user_id is None and require_taken(session, change, present if isinstance(present, Master) else None):
        return
    if record_type.entity in _SERVER_ONLY:
        raise PermissionDenied("sync-server-only", entity=record_type.entity)
    user = session.get(User, change.user_id) if change.user_id else None
    allowed = frozenset({Role.ADMIN}) if record_type.entity in _ADMINISTRATORS_ONLY else _MASTER_ROLES
    if user is None or not user.active or user.deleted_at is not None or user.role not in allowed:
        raise PermissionDenied("sync-user-may-not", roles=", ".join(sorted(role.value for role in allowed)))
    if not _has_signed_in(session, user, device_id):
        raise PermissionDenied("sync-user-not-here", user=user.username)


def check_owner(
    present: Synced | None,
    values: Mapping[str, Any],
    part: InspectionSession | None,
    device_id: str,
    former_id: str | None,
) -> None:
    """Check that a fact or a session belongs to the station that pushes it.

    Args:
        present: the record before the change, None when it is new.
        values: column → value, of those that the change names.
        part: the session that a fact belongs to, None when it has none.
        device_id: the station.
        former_id: the station of whose store its own is a copy: it completes the parts that the copy holds.

    Raises:
        IdentityRefused: ``sync-other-device`` when it claims what belongs to another device.
    """
    if values.get("device_id", device_id) != device_id:
        raise IdentityRefused("sync-other-device")
    part_owner = part.device_id if part is not None else device_id
    present_owner = getattr(present, "device_id", device_id)
    if part_owner not in {device_id, former_id} or present_owner not in {device_id, former_id}:
        raise IdentityRefused("sync-other-device")


def check_session_change(present: InspectionSession, values: Mapping[str, Any], who: Principal) -> None:
    """Check that a station may change a session as REST would let it.

    Args:
        present: the session before the change.
        values: column → value, of those that are taken and differ from the present one.
        who: changes it.

    Raises:
        PermissionDenied: as ``require_may``.
    """
    owner = SessionOwner(present.device_id, present.user_id, present.status)
    for action in actions_of(values):
        require_may(who, action, owner)


def acting_user(session: Session, user: User | None, device_id: str) -> Principal:
    """Return ``user`` as who changes a session, when the user has signed in at the device; else the station itself."""
    if user is None or not _has_signed_in(session, user, device_id):
        return Principal.of_device(device_id)
    return Principal(user.id, user.username, user.role, device_id)


def _has_signed_in(session: Session, user: User, device_id: str) -> bool:
    signed_in = exists().where(AuthSession.user_id == user.id, AuthSession.device_id == device_id)
    return bool(session.scalar(select(signed_in)))
