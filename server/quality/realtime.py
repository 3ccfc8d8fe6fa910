"""The figures of the last hour."""

from __future__ import annotations

import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.sessions import InspectionSession
from models.states import HumanVerdict, SessionStatus
from models.verification import HumanVerification
from server.alerts.repository import open_by_severity
from server.context import ServerContext
from server.quality.agreement import Share
from server.quality.schemas import QualityMetrics, RealtimeQuality

_HOUR = datetime.timedelta(hours=1)


def realtime(context: ServerContext) -> RealtimeQuality:
    """Return the figures of the parts completed within the last hour."""
    now = utc_now()
    with context.database.read() as session:
        return RealtimeQuality(timestamp=now, metrics=_metrics(session, now))


def _metrics(session: Session, now: datetime.datetime) -> QualityMetrics:
    recent = (
        InspectionSession.status == SessionStatus.COMPLETED,
        InspectionSession.completed_at > now - _HOUR,
        InspectionSession.completed_at <= now,
    )
    verdict = InspectionSession.effective_verdict
    found = session.execute(select(verdict, func.count()).where(*recent).group_by(verdict))
    counts = {row[0]: int(row[1]) for row in found}
    ok, ng, hold = (counts.get(one, 0) for one in (HumanVerdict.OK, HumanVerdict.NG, HumanVerdict.HOLD))
    began = select(InspectionSession.user_id).where(*recent)
    # One look into the index for each part: joined, PostgreSQL reads every decision there is.
    newest = (
        select(HumanVerification.user_id)
        .where(HumanVerification.session_id == InspectionSession.id)
        .order_by(HumanVerification.clock.desc(), HumanVerification.id.desc())
        .limit(1)
        .correlate(InspectionSession)
        .scalar_subquery()
    )
    persons = began.union(select(newest.label("user_id")).where(*recent)).subquery()
    active = session.scalar(select(func.count(persons.c.user_id))) or 0
    return QualityMetrics(
        hourly_ok_rate=Share(ok, ok + ng).rate,
        current_ng_count=ng,
        active_inspectors=active,
        hourly_total=ok + ng + hold,
        hourly_hold_count=hold,
        open_alerts=sum(open_by_severity(session).values()),
    )
