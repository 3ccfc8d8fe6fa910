"""Who may do what with a session, and in which state; functions of values. REST and sync push both ask here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from models.errors import Conflict, PermissionDenied
from models.states import ENDED, IN_CHARGE, HumanVerdict, Role, SessionStatus, may_act_for
from server.audit import SERVER_DEVICE
from server.auth.identity.principal import Principal

CORRECTABLE = ("lot", "serial_number")
"""What can be changed of a session besides its status."""
_UNDECIDABLE = frozenset({SessionStatus.FAILED, SessionStatus.CANCELLED})


class Action(StrEnum):
    """What can be done with a session."""

    START = "start"
    STEP = "step"
    VERIFY = "verify"
    ATTACH = "attach"
    COMPLETE = "complete"
    CANCEL = "cancel"
    CORRECT = "correct"


class Place(StrEnum):
    """Where a caller is, as seen from the device that owns the session.

    ``OWN``: signed in at the owning station. ``SERVER``: at no station, and the session is the server's own.
    ``OUTSIDE``: at no station, and the session is a station's. ``OTHER``: at a station that does not own the session.
    """

    OWN = "own"
    SERVER = "server"
    OUTSIDE = "outside"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SessionOwner:
    """Whose session it is and how far it is.

    Attributes:
        device_id: the device that owns it.
        user_id: the person who started it; None for a machine or a station by itself.
        status: its state before the action.
    """

    device_id: str
    user_id: str | None = None
    status: SessionStatus = SessionStatus.PENDING


_IN_CHARGE: frozenset[Role | None] = frozenset(IN_CHARGE)
_PERSONS = _IN_CHARGE | {Role.INSPECTOR}
_ALL = _PERSONS | {Role.INTEGRATOR}
_REMOTE = _IN_CHARGE | {Role.INTEGRATOR}
_STATION: frozenset[Role | None] = frozenset({None})
_ROLES: dict[Place, Mapping[Action, frozenset[Role | None]]] = {
    # A station by itself (role None) pushes what was done there; the REST routes want a person or a machine.
    Place.OWN: {**dict.fromkeys(Action, _ALL | _STATION), Action.VERIFY: _PERSONS | _STATION},
    Place.SERVER: {**dict.fromkeys(Action, _ALL), Action.VERIFY: _PERSONS},
    Place.OUTSIDE: {**dict.fromkeys(Action, _REMOTE), Action.VERIFY: _IN_CHARGE},
    Place.OTHER: dict.fromkeys(Action, frozenset()),
}


def place_of(who: Principal, device_id: str) -> Place:
    """Return where ``who`` is, as seen from a session's device."""
    if who.device_id is not None:
        return Place.OWN if who.device_id == device_id else Place.OTHER
    return Place.SERVER if device_id == SERVER_DEVICE else Place.OUTSIDE


def require_may(who: Principal, action: Action, owner: SessionOwner) -> None:
    """Check that ``who`` may do something with a session.

    Raises:
        PermissionDenied: ``session-of-another-device`` from a place from which this role may not,
            ``session-of-another-user`` for what only the person who started it and those in charge may,
            ``session-has-ended`` for a correction after the end by anybody but those in charge.
    """
    if who.role not in _ROLES[place_of(who, owner.device_id)][action]:
        raise PermissionDenied("session-of-another-device")
    if action not in {Action.CANCEL, Action.CORRECT}:
        return
    if action is Action.CORRECT and owner.status in ENDED and who.role not in _IN_CHARGE:
        raise PermissionDenied("session-has-ended")
    if who.role is not None and not may_act_for(owner.user_id, role=who.role, user_id=who.user_id):
        raise PermissionDenied("session-of-another-user")


def owner_of_new(who: Principal, named: str | None) -> str:
    """Return the device that owns a session that ``who`` starts: the one named, else the caller's, else the server.

    Raises:
        PermissionDenied: ``session-of-another-device`` when ``who`` may not start one for the device named.
    """
    device_id = named or who.device_id or SERVER_DEVICE
    require_may(who, Action.START, SessionOwner(device_id))
    return device_id


def actions_of(changes: Mapping[str, Any]) -> list[Action]:
    """Return what a change of a session does.

    Args:
        changes: column → new value, of those that differ from the present one.
    """
    actions = [Action.CORRECT] if any(name in changes for name in CORRECTABLE) else []
    if "status" in changes:
        wanted = changes["status"]
        ends = wanted in ENDED and wanted is not SessionStatus.COMPLETED
        completes = wanted is SessionStatus.COMPLETED
        actions.append(Action.CANCEL if ends else Action.COMPLETE if completes else Action.STEP)
    return actions


def only_device(who: Principal) -> str | None:
    """Return the one device whose sessions a station by itself may read; None for users and machines, who read all."""
    return who.device_id if who.role is None else None


def require_decidable(status: SessionStatus) -> None:
    """Check that a person may decide about a session; after its end that is a correction.

    Raises:
        Conflict: ``verification-state``.
    """
    if status in _UNDECIDABLE:
        raise Conflict("verification-state", status=status.value)


def require_open(status: SessionStatus) -> None:
    """Check that a session has not ended.

    Raises:
        Conflict: ``session-over``.
    """
    if status in ENDED:
        raise Conflict("session-over", status=status.value)


def require_verdict(verdict: HumanVerdict | None) -> None:
    """Check that a session that is to be completed has a verdict.

    Raises:
        Conflict: ``session-without-verdict``.
    """
    if verdict is None:
        raise Conflict("session-without-verdict")
