"""Queries of statistics: counted in the database, never row by row here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, literal_column, select, true
from sqlalchemy.orm import Session

from models.sessions import InspectionSession
from models.states import HumanVerdict, SessionStatus
from models.verification import HumanVerification
from server.core.periods import Period
from server.quality.expressions import entries_of, json_text, utc_day


class Day(NamedTuple):
    """Completed sessions of one day by effective verdict."""

    day: str
    ok: int
    ng: int
    hold: int


def completed(period: Period) -> list[ColumnElement[bool]]:
    """Return the conditions of the sessions that statistics count."""
    conditions = [InspectionSession.status == SessionStatus.COMPLETED]
    if period.start is not None:
        conditions.append(InspectionSession.completed_at >= period.start)
    if period.end is not None:
        conditions.append(InspectionSession.completed_at < period.end)
    return conditions


def count_by_day(session: Session, period: Period) -> list[Day]:
    """Return the days with completed sessions, oldest first."""
    day = utc_day(InspectionSession.completed_at).label("day")
    counts = [_count(verdict) for verdict in (HumanVerdict.OK, HumanVerdict.NG, HumanVerdict.HOLD)]
    query = select(day, *counts).where(*completed(period)).group_by(day).order_by(day)
    rows: Sequence[Any] = session.execute(query).all()
    return [Day(day or "", int(ok), int(ng), int(hold)) for day, ok, ng, hold in rows]


def count_defects(session: Session, period: Period) -> Sequence[tuple[str, int]]:
    """Return marked defects of completed sessions by class; of several decisions about one item the newest counts."""
    ranked = (
        select(
            HumanVerification.defects.label("defects"),
            func.row_number()
            .over(
                partition_by=(HumanVerification.session_id, HumanVerification.item_id),
                order_by=(HumanVerification.clock.desc(), HumanVerification.id.desc()),
            )
            .label("place"),
        )
        .join(InspectionSession, InspectionSession.id == HumanVerification.session_id)
        .where(*completed(period))
        .subquery()
    )
    entries: Any = entries_of(ranked.c.defects)
    name = json_text(entries.c.value, literal_column("'class'")).label("class_name")
    query = select(name, func.count()).select_from(ranked.join(entries, true())).where(ranked.c.place == 1)
    rows = session.execute(query.group_by(name).order_by(name)).all()
    return [(str(row[0]), int(row[1])) for row in rows]


def _count(verdict: HumanVerdict) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((InspectionSession.effective_verdict == verdict, 1), else_=0)), 0)
