"""Sessions of this station: begin one for a part, with its lot and serial number, or cancel it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.station.operations.line_stops import require_running_line
from app.station.operations.masters import item_views
from app.station.operations.users import SignedInUser, require_inspector
from app.station.views import ItemView
from models.audit import append_audit
from models.clock import utc_now
from models.errors import DoesNotFit, InvalidInput, NotFound, PermissionDenied
from models.sessions import InspectionSession
from models.states import SessionStatus, may_act_for, require_transition
from models.targets import Target

if TYPE_CHECKING:
    from app.station.workspace import Workspace

LONGEST_CODE = 128
"""Characters of a lot or a serial number."""


@dataclass(frozen=True, slots=True)
class PartSession:
    """A part under inspection.

    Attributes:
        items: what is looked at, in order.
        done: ids of the items that have an AI result.
    """

    session_id: str
    target_id: str
    target_name: str
    items: tuple[ItemView, ...]
    lot: str
    serial_number: str
    done: frozenset[str]


def part_code(text: str) -> str:
    """Return a lot or serial number as it is kept, without space around it.

    The server refuses for good what does not fit its columns, so it is refused here, while the part is at hand.

    Raises:
        InvalidInput: ``part-code-unusable`` when it is too long or has characters that cannot be shown.
    """
    code = text.strip()
    if len(code) > LONGEST_CODE or not code.isprintable():
        raise InvalidInput("part-code-unusable", limit=LONGEST_CODE)
    return code


def begin_session(
    workspace: Workspace, user: SignedInUser, *, target_id: str, lot: str = "", serial_number: str = ""
) -> PartSession:
    """Start the inspection of one part and return what is to be looked at.

    Raises:
        PermissionDenied: ``role-not-enough``.
        Conflict: ``not-enrolled`` before this station belongs to a server; ``line-stopped`` by an alert.
        NotFound: ``target-unknown``.
        DoesNotFit: ``target-without-items``.
        InvalidInput: ``part-code-unusable``.
    """
    require_inspector(user)
    device_id = workspace.require_device()
    lot, serial_number = part_code(lot), part_code(serial_number)
    with workspace.database.transaction(actor=user.user_id) as session:
        require_running_line(session, workspace)
        target = session.get(Target, target_id)
        if target is None or target.deleted_at is not None:
            raise NotFound("target-unknown", code_or_id=target_id)
        items = item_views(workspace, session, target_id)
        if not items:
            raise DoesNotFit("target-without-items", target=target.name)
        record = InspectionSession(
            device_id=device_id,
            target_id=target_id,
            user_id=user.user_id,
            lot=lot,
            serial_number=serial_number,
            status=SessionStatus.IN_PROGRESS,
            started_at=utc_now(),
        )
        session.add(record)
        audit(
            workspace,
            session,
            user,
            "session.started",
            record.id,
            target=target.code,
            lot=record.lot,
            serial_number=record.serial_number,
        )
        return PartSession(
            record.id, target_id, target.name, tuple(items), record.lot, record.serial_number, frozenset()
        )


def cancel_session(workspace: Workspace, user: SignedInUser, session_id: str, reason: str = "") -> None:
    """End a session without a result because the person wants it so.

    Raises:
        NotFound: ``session-unknown``.
        PermissionDenied: ``session-of-another-user`` for an inspector who did not start it.
        Conflict: ``session-state`` when it has ended already.
    """
    with workspace.database.transaction(actor=user.user_id) as session:
        record = own_session(workspace, session, session_id)
        if not may_act_for(record.user_id, role=user.role, user_id=user.user_id):
            raise PermissionDenied("session-of-another-user")
        require_transition(record.status, SessionStatus.CANCELLED)
        record.status = SessionStatus.CANCELLED
        audit(workspace, session, user, "session.cancelled", record.id, reason=reason)


def own_session(workspace: Workspace, session: Session, session_id: str) -> InspectionSession:
    """Return a session that this station started.

    Raises:
        NotFound: ``session-unknown``.
    """
    record = session.get(InspectionSession, session_id)
    if record is None or record.device_id != workspace.device_id:
        raise NotFound("session-unknown", session_id=session_id)
    return record


def audit(
    workspace: Workspace, session: Session, user: SignedInUser, action: str, session_id: str, **detail: object
) -> None:
    """Add what ``user`` did with a session to this station's audit trail, in the caller's transaction."""
    append_audit(
        session,
        device_id=workspace.device_id,
        actor=user.username,
        action=action,
        subject="inspection_session",
        subject_id=session_id,
        detail=detail,
    )
