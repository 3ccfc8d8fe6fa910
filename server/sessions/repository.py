"""Queries of sessions."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import HumanVerdict, SessionStatus
from models.verification import HumanVerification
from server.core.paging import searched
from server.core.records import require_record
from server.sessions.schemas import AIResultReply, ImageReply, SessionDetail, SessionReply, VerificationReply


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions are asked for; None is any."""

    status: SessionStatus | None = None
    target_id: str | None = None
    device_id: str | None = None
    lot: str | None = None
    serial_number: str | None = None
    verdict: HumanVerdict | None = None
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None


def session_by_id(session: Session, session_id: str) -> InspectionSession:
    """Return a session.

    Raises:
        NotFound: ``inspection-session-unknown``.
    """
    return require_record(session, InspectionSession, session_id, "inspection-session-unknown")


def listing(wanted: SessionFilter, search: str) -> Select[InspectionSession]:
    """Return the query for sessions, newest first; the search looks at lot and serial number."""
    query = select(InspectionSession)
    equal = {
        InspectionSession.status: wanted.status,
        InspectionSession.target_id: wanted.target_id,
        InspectionSession.device_id: wanted.device_id,
        InspectionSession.lot: wanted.lot,
        InspectionSession.serial_number: wanted.serial_number,
        InspectionSession.effective_verdict: wanted.verdict,
    }
    for column, value in equal.items():
        if value is not None:
            query = query.where(column == value)
    if wanted.start is not None:
        query = query.where(InspectionSession.created_at >= wanted.start)
    if wanted.end is not None:
        query = query.where(InspectionSession.created_at < wanted.end)
    # Ids are UUIDv7: their order is the order of creation, and the primary key serves it.
    return searched(query, search, InspectionSession).order_by(InspectionSession.id.desc())


def detail(session: Session, record: InspectionSession) -> SessionDetail:
    """Return a session with its facts, oldest first."""
    images = session.scalars(
        select(ImageRecord).where(ImageRecord.session_id == record.id).order_by(ImageRecord.clock, ImageRecord.id)
    )
    results = session.scalars(
        select(AIResult).where(AIResult.session_id == record.id).order_by(AIResult.clock, AIResult.id)
    )
    decisions = session.scalars(
        select(HumanVerification)
        .where(HumanVerification.session_id == record.id)
        .order_by(HumanVerification.clock, HumanVerification.id)
    )
    return SessionDetail(
        **SessionReply.model_validate(record).model_dump(),
        images=[ImageReply.model_validate(image) for image in images],
        ai_results=[AIResultReply.model_validate(result) for result in results],
        human_verifications=[VerificationReply.model_validate(decision) for decision in decisions],
    )


def detail_of_new(record: InspectionSession) -> SessionDetail:
    """Return a session that has just been started and so has no facts."""
    values = {name: getattr(record, name) for name in SessionReply.model_fields}
    return SessionDetail(**values, images=[], ai_results=[], human_verifications=[])
