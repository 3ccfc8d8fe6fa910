"""The station's own statistics, in the form of the server's ``GET /api/v1/inspection/statistics``."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from models.sessions import InspectionSession
from models.states import HumanVerdict, SessionStatus
from models.verification import HumanVerification

if TYPE_CHECKING:
    from app.station.workspace import Workspace


def station_statistics(workspace: Workspace, start: date | None = None, end: date | None = None) -> dict[str, Any]:
    """Return summary, daily trends (days of UTC) and defect analysis of this station's completed sessions.

    Args:
        workspace: the station.
        start: first day, inclusive; None for no bound.
        end: last day, inclusive; None for no bound.
    """
    query = select(InspectionSession.id, InspectionSession.completed_at, InspectionSession.effective_verdict).where(
        InspectionSession.status == SessionStatus.COMPLETED
    )
    if start is not None:
        query = query.where(InspectionSession.completed_at >= datetime.combine(start, time.min, UTC))
    if end is not None:
        query = query.where(InspectionSession.completed_at < datetime.combine(end + timedelta(days=1), time.min, UTC))
    with workspace.database.read() as session:
        rows = session.execute(query).all()
        chosen = query.with_only_columns(InspectionSession.id).scalar_subquery()
        marked = session.execute(
            select(HumanVerification.session_id, HumanVerification.item_id, HumanVerification.defects)
            .where(HumanVerification.session_id.in_(chosen))
            .order_by(HumanVerification.clock)
        ).all()
    verdicts = [(moment.date() if moment else None, verdict) for _, moment, verdict in rows]
    return {
        "summary": summary(Counter(verdict for _, verdict in verdicts)),
        "daily_trends": _daily(verdicts),
        "defect_analysis": _defects(marked),
    }


def summary(counts: Counter[HumanVerdict | None]) -> dict[str, Any]:
    """Return the totals of effective verdicts; the OK rate is in percent of OK and NG, 0 when there is neither."""
    ok, ng, hold = (counts[verdict] for verdict in (HumanVerdict.OK, HumanVerdict.NG, HumanVerdict.HOLD))
    return {
        "total_inspections": ok + ng + hold,
        "ok_count": ok,
        "ng_count": ng,
        "hold_count": hold,
        "ok_rate": round(100 * ok / (ok + ng), 2) if ok + ng else 0.0,
    }


def _daily(verdicts: list[tuple[date | None, HumanVerdict | None]]) -> list[dict[str, Any]]:
    days: dict[date, Counter[HumanVerdict | None]] = {}
    for day, verdict in verdicts:
        if day is not None:
            days.setdefault(day, Counter())[verdict] += 1
    return [
        {
            "date": day.isoformat(),
            "total": counts[HumanVerdict.OK] + counts[HumanVerdict.NG] + counts[HumanVerdict.HOLD],
            "ok": counts[HumanVerdict.OK],
            "ng": counts[HumanVerdict.NG],
            "hold": counts[HumanVerdict.HOLD],
        }
        for day, counts in sorted(days.items())
    ]


def _defects(marked: Any) -> dict[str, int]:
    """Count marked defects by class; of several decisions about one item the newest counts."""
    newest: dict[tuple[str, str | None], list[Any]] = {(part, item): defects for part, item, defects in marked}
    classes = Counter(str(defect["class"]) for defects in newest.values() for defect in defects)
    return dict(sorted(classes.items()))
