"""Sessions: started, changed, completed, each in one unit of work with its audit entry."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.clock import utc_now
from models.devices import Device
from models.errors import InvalidInput, NotFound, PermissionDenied
from models.sessions import InspectionSession
from models.states import SessionStatus, require_transition
from models.targets import Target
from server.audit import SERVER_DEVICE, audited
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency import existing_record
from server.core.paging import PageQuery, fetch_page
from server.masters.repository import alive
from server.sessions import repository
from server.sessions.events import SESSION_CHANGED
from server.sessions.repository import SessionFilter
from server.sessions.rules import may_update, only_device, owner_of_new, require_verdict
from server.sessions.schemas import SessionCreate, SessionDetail, SessionReply, SessionUpdate
from sync.shared.schemas import Page


def list_sessions(
    context: ServerContext, who: Principal, wanted: SessionFilter, paging: PageQuery
) -> Page[SessionReply]:
    """Return a page of the sessions that ``who`` may read, newest first."""
    with context.database.read() as session:
        query = repository.listing(wanted, paging.search)
        only = only_device(who)
        if only is not None:
            query = query.where(InspectionSession.device_id == only)
        return fetch_page(session, query, paging, SessionReply.model_validate)


def get_session(context: ServerContext, who: Principal, session_id: str) -> SessionDetail:
    """Return a session with its facts; ``NotFound`` ``inspection-session-unknown``."""
    with context.database.read() as session:
        record = repository.session_by_id(session, session_id)
        if only_device(who) not in {None, record.device_id}:
            raise NotFound("inspection-session-unknown")
        return repository.detail(session, record)


def create_session(context: ServerContext, who: Principal, body: SessionCreate) -> tuple[SessionReply, bool]:
    """Start a session and return it, and whether it is new.

    Raises:
        NotFound: ``target-not-found``.
        InvalidInput: ``device-not-enrolled``.
        PermissionDenied: ``session-of-another-device``.
        Conflict: ``id-taken``.
    """
    owner = owner_of_new(who, body.device_id)
    content = {**body.model_dump(exclude={"id", "device_id"}), "device_id": owner}
    with context.database.transaction(who.user_id) as session:
        existing = existing_record(session, InspectionSession, body.id, content)
        if existing is not None:
            return SessionReply.model_validate(existing), False
        alive(session, Target, body.target_id)
        if owner != SERVER_DEVICE and session.get(Device, owner) is None:
            raise InvalidInput("device-not-enrolled")
        values = content if body.id is None else {**content, "id": body.id}
        record = InspectionSession(**values, user_id=who.user_id)
        session.add(record)
        session.flush()
        audited(session, who, "session.created", "inspection_session", record.id)
        session.flush()
        return SessionReply.model_validate(record), True


def update_session(context: ServerContext, who: Principal, session_id: str, body: SessionUpdate) -> SessionReply:
    """Change lot and serial number, or take the next step.

    Raises:
        NotFound: ``inspection-session-unknown``.
        PermissionDenied: ``session-of-another-device``.
        Conflict: ``session-state`` or ``session-without-verdict``.
    """
    with context.database.transaction(who.user_id) as session:
        record = own_session(session, who, session_id)
        changed = []
        for name, value in (("lot", body.lot), ("serial_number", body.serial_number)):
            if value is not None and value != getattr(record, name):
                setattr(record, name, value)
                changed.append(name)
        if body.status is not None and body.status is not record.status:
            _step(record, body.status)
            changed.append("status")
        if changed:
            detail = {"fields": changed, "status": record.status.value}
            audited(session, who, "session.changed", "inspection_session", record.id, **detail)
        session.flush()
        reply = SessionReply.model_validate(record)
    if "status" in changed:
        _publish(context, reply)
    return reply


def complete_session(context: ServerContext, who: Principal, session_id: str) -> SessionReply:
    """End a session by its effective verdict.

    Raises:
        NotFound: ``inspection-session-unknown``.
        PermissionDenied: ``session-of-another-device``.
        Conflict: ``session-state`` or ``session-without-verdict``.
    """
    with context.database.transaction(who.user_id) as session:
        record = own_session(session, who, session_id)
        _step(record, SessionStatus.COMPLETED)
        verdict = record.effective_verdict.value if record.effective_verdict else None
        audited(session, who, "session.completed", "inspection_session", record.id, verdict=verdict)
        session.flush()
        reply = SessionReply.model_validate(record)
    _publish(context, reply)
    return reply


def own_session(session: Session, who: Principal, session_id: str) -> InspectionSession:
    """Return a session that ``who`` may change.

    Raises:
        NotFound: ``inspection-session-unknown``.
        PermissionDenied: ``session-of-another-device``.
    """
    record = repository.session_by_id(session, session_id)
    if not may_update(who, device_id=record.device_id, user_id=record.user_id):
        raise PermissionDenied("session-of-another-device")
    return record


def _step(record: InspectionSession, wanted: SessionStatus) -> None:
    require_transition(record.status, wanted)
    if wanted is SessionStatus.IN_PROGRESS:
        record.started_at = utc_now()
    if wanted is SessionStatus.COMPLETED:
        require_verdict(record.effective_verdict)
        record.completed_at = utc_now()
    record.status = wanted


def _publish(context: ServerContext, reply: SessionReply) -> None:
    if reply.status is SessionStatus.COMPLETED:
        context.metrics.completed.inc()
    context.events.publish(SESSION_CHANGED, reply.id, reply)
