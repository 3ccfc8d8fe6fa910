"""Queries of statistics: counted in the database, never row by row here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    String,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.sessions import AIResult, InspectionSession
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


@dataclass(frozen=True, slots=True)
class Scope:
    """Which completed sessions are counted, beside their period; None is any.

    Attributes:
        item_id: counts the sessions in which the item was judged, by the verdict about the item.
    """

    target_id: str | None = None
    lot: str | None = None
    device_id: str | None = None
    item_id: str | None = None


EVERYTHING = Scope()


def completed(period: Period, scope: Scope) -> list[ColumnElement[bool]]:
    """Return the conditions of the sessions that statistics count."""
    conditions = [InspectionSession.status == SessionStatus.COMPLETED]
    equal = {
        InspectionSession.target_id: scope.target_id,
        InspectionSession.lot: scope.lot,
        InspectionSession.device_id: scope.device_id,
    }
    conditions += [column == value for column, value in equal.items() if value is not None]
    if period.start is not None:
        conditions.append(InspectionSession.completed_at >= period.start)
    if period.end is not None:
        conditions.append(InspectionSession.completed_at < period.end)
    return conditions


def count_by_day(session: Session, period: Period, scope: Scope = EVERYTHING) -> list[Day]:
    """Return the days with completed sessions, oldest first."""
    day = utc_day(InspectionSession.completed_at).label("day")
    if scope.item_id is None:
        query = select(day, *_counts(InspectionSession.effective_verdict))
    else:
        machine = _newest(AIResult, AIResult.overall_result, AIResult.item_id == scope.item_id)
        # A decision about the whole part replaces what was decided about the item before.
        about = or_(HumanVerification.item_id == scope.item_id, HumanVerification.item_id.is_(None))
        person = _newest(HumanVerification, HumanVerification.verdict, about)
        decided = exists().where(
            HumanVerification.session_id == InspectionSession.id, HumanVerification.item_id == scope.item_id
        )
        query = (
            select(day, *_counts(func.coalesce(person.c.verdict, machine.c.verdict)))
            .outerjoin(machine, and_(machine.c.session_id == InspectionSession.id, machine.c.place == 1))
            .outerjoin(person, and_(person.c.session_id == InspectionSession.id, person.c.place == 1))
            .where(or_(machine.c.session_id.is_not(None), decided))
        )
    query = query.where(*completed(period, scope)).group_by(day).order_by(day)
    rows: Sequence[Any] = session.execute(query).all()
    return [Day(day or "", int(ok), int(ng), int(hold)) for day, ok, ng, hold in rows]


def count_defects(session: Session, period: Period, scope: Scope = EVERYTHING) -> Sequence[tuple[str, int]]:
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
        .where(*completed(period, scope))
        .where(*([] if scope.item_id is None else [HumanVerification.item_id == scope.item_id]))
        .subquery()
    )
    entries: Any = entries_of(ranked.c.defects)
    name = json_text(entries.c.value, literal_column("'class'")).label("class_name")
    query = select(name, func.count()).select_from(ranked.join(entries, true())).where(ranked.c.place == 1)
    rows = session.execute(query.group_by(name).order_by(name)).all()
    return [(str(row[0]), int(row[1])) for row in rows]


def _counts(verdict: ColumnElement[Any] | InstrumentedAttribute[Any]) -> list[ColumnElement[int]]:
    """Return how many sessions are OK, NG and HOLD."""
    return [
        func.coalesce(func.sum(case((verdict == wanted.value, 1), else_=0)), 0)
        for wanted in (HumanVerdict.OK, HumanVerdict.NG, HumanVerdict.HOLD)
    ]


def _newest(
    fact: type[AIResult] | type[HumanVerification], verdict: InstrumentedAttribute[Any], about: ColumnElement[bool]
) -> Subquery:
    """Return session and verdict of facts, ranked by ``place`` within their session, the newest first."""
    place = func.row_number().over(partition_by=fact.session_id, order_by=(fact.clock.desc(), fact.id.desc()))
    columns = (fact.session_id, cast(verdict, String).label("verdict"), place.label("place"))
    return select(*columns).where(about).subquery()
