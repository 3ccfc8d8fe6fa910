"""Sessions: started, changed, completed, each in one unit of work with its audit entry."""

from __future__ import annotations

from models.clock import utc_now
from models.devices import Device
from models.errors import DoesNotFit, NotFound
from models.sessions import InspectionSession
from models.states import ENDED, SessionStatus, require_transition
from models.targets import Target
from server.audit import SERVER_DEVICE, audited, differences, made
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency import existing_record
from server.core.paging import PageQuery, PageStatements, fetch_page
from server.core.revisions import WHATEVER, Expected
from server.masters.repository import require_alive
from server.sessions import repository
from server.sessions.events import SESSION_CHANGED
from server.sessions.repository import SessionFilter
from server.sessions.rules import (
    Action,
    SessionOwner,
    actions_of,
    only_device,
    owner_of_new,
    require_may,
    require_verdict,
)
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
        return fetch_page(session, PageStatements.of(query, SessionReply, paging), paging)


def get_session(context: ServerContext, who: Principal, session_id: str) -> SessionDetail:
    """Return a session with its facts; ``NotFound`` ``inspection-session-unknown``."""
    with context.database.read() as session:
        record = repository.session_by_id(session, session_id)
        if only_device(who) not in {None, record.device_id}:
            raise NotFound("inspection-session-unknown")
        return repository.detail(session, record)


def create_session(context: ServerContext, who: Principal, body: SessionCreate) -> tuple[SessionDetail, bool]:
    """Start a session and return it, and whether it is new.

    Raises:
        NotFound: ``target-not-found``.
        DoesNotFit: ``device-not-enrolled``.
        PermissionDenied: ``session-of-another-device``.
        Conflict: ``id-taken``.
    """
    owner = owner_of_new(who, body.device_id)
    content = {**body.model_dump(exclude={"id", "device_id"}), "device_id": owner}
    with context.database.transaction(who.user_id) as session:
        existing = existing_record(session, InspectionSession, body.id, content)
        if existing is not None:
            return repository.detail(session, existing), False
        require_alive(session, Target, body.target_id)
        if owner != SERVER_DEVICE and session.get(Device, owner) is None:
            raise DoesNotFit("device-not-enrolled")
        values = content if body.id is None else {**content, "id": body.id}
        record = InspectionSession(**values, user_id=who.user_id)
        session.add(record)
        audited(session, who, "session.created", "inspection_session", record.id, changes=made(content))
        session.flush()
        return repository.detail_of_new(record), True


def update_session(
    context: ServerContext, who: Principal, session_id: str, body: SessionUpdate, expected: Expected = WHATEVER
) -> SessionDetail:
    """Change lot and serial number, or take the next step.

    Raises:
        NotFound: ``inspection-session-unknown``.
        PermissionDenied: as ``require_may``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``session-state``, ``session-without-verdict`` or ``member-read-only``.
    """
    with context.database.transaction(who.user_id) as session:
        record = repository.session_by_id(session, session_id)
        wanted = {name: value for name, value in body.given().items() if value != getattr(record, name)}
        for action in actions_of(wanted) or [Action.STEP]:
            require_may(who, action, owner_of(record))
        expected.require(repository.detail(session, record), body)
        corrected = record.status in ENDED
        changes = differences({name: getattr(record, name) for name in wanted}, wanted)
        if "status" in wanted:
            step(record, wanted.pop("status"))
        for name, value in wanted.items():
            setattr(record, name, value)
        if changes:
            name = "session.corrected" if corrected else "session.changed"
            audited(session, who, name, "inspection_session", record.id, changes=changes)
        session.flush()
        reply = repository.detail(session, record)
    if "status" in changes:
        publish(context, reply)
    return reply


def complete_session(context: ServerContext, who: Principal, session_id: str) -> SessionDetail:
    """End a session by its effective verdict.

    Raises:
        NotFound: ``inspection-session-unknown``.
        PermissionDenied: as ``require_may``.
        Conflict: ``session-state`` or ``session-without-verdict``.
    """
    with context.database.transaction(who.user_id) as session:
        record = repository.session_by_id(session, session_id)
        require_may(who, Action.COMPLETE, owner_of(record))
        before = record.status
        step(record, SessionStatus.COMPLETED)
        verdict = record.effective_verdict.value if record.effective_verdict else None
        changes = differences({"status": before}, {"status": record.status})
        audited(session, who, "session.completed", "inspection_session", record.id, verdict=verdict, changes=changes)
        session.flush()
        reply = repository.detail(session, record)
    publish(context, reply)
    return reply


def owner_of(record: InspectionSession) -> SessionOwner:
    """Return whose session it is, as the rules ask for it."""
    return SessionOwner(record.device_id, record.user_id, record.status)


def step(record: InspectionSession, wanted: SessionStatus) -> None:
    """Move a session on, with the times that belong to the step.

    Raises:
        Conflict: ``session-state`` or ``session-without-verdict``.
    """
    require_transition(record.status, wanted)
    begins = wanted in {SessionStatus.IN_PROGRESS, SessionStatus.HUMAN_REVIEW}
    if begins and record.started_at is None:
        record.started_at = utc_now()
    if wanted is SessionStatus.COMPLETED:
        require_verdict(record.effective_verdict)
        record.completed_at = utc_now()
    record.status = wanted


def publish(context: ServerContext, reply: SessionReply) -> None:
    """Count and publish a step that a committed transaction has taken."""
    if reply.status is SessionStatus.COMPLETED:
        context.metrics.completed.inc()
    context.events.publish(SESSION_CHANGED, reply.id, SessionReply.model_validate(reply.model_dump()))
