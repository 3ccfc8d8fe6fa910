"""Who may touch a session and in which state; functions of values."""

from __future__ import annotations

from models.errors import Conflict, PermissionDenied
from models.states import HumanVerdict, Role, SessionStatus
from server.audit import SERVER_DEVICE
from server.auth.identity.principal import Principal

_FOR_ALL = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR})
_DECIDABLE = frozenset({SessionStatus.AI_COMPLETED, SessionStatus.HUMAN_REVIEW, SessionStatus.COMPLETED})


def owner_of_new(who: Principal, named: str | None) -> str:
    """Return the device that owns a session that ``who`` starts.

    Raises:
        PermissionDenied: ``session-of-another-device`` when a station names another one.
    """
    if who.device_id is None:
        return named or SERVER_DEVICE
    if named not in {None, who.device_id}:
        raise PermissionDenied("session-of-another-device")
    return who.device_id


def may_update(who: Principal, *, device_id: str, user_id: str | None) -> bool:
    """Return whether ``who`` may change a session: its station, the person who started it, or one in charge."""
    if who.device_id is not None:
        return who.device_id == device_id
    return device_id == SERVER_DEVICE or who.role in _FOR_ALL or (who.user_id is not None and who.user_id == user_id)


def only_device(who: Principal) -> str | None:
    """Return the one device whose sessions a station by itself may read; None for users and machines, who read all."""
    return who.device_id if who.role is None else None


def require_decidable(status: SessionStatus) -> None:
    """Check that a person may decide about a session; after its end that is a correction.

    Raises:
        Conflict: ``verification-state``.
    """
    if status not in _DECIDABLE:
        raise Conflict("verification-state", status=status.value)


def require_verdict(verdict: HumanVerdict | None) -> None:
    """Check that a session that is to be completed has a verdict.

    Raises:
        Conflict: ``session-without-verdict``.
    """
    if verdict is None:
        raise Conflict("session-without-verdict")
