"""Statistics from the facts themselves: for lots, for parts of days, and while the daily counts are not complete."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    Subquery,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models.sessions import AIResult, InspectionSession
from models.states import CountKind, HumanVerdict, SessionStatus
from models.verification import HumanVerification
from server.core.periods import Period
from server.core.site_time import day_of
from server.quality.cells import Cell, Cells, Dimension, Question, Scope
from server.quality.expressions import entries_of, json_text, utc_minute

_Fact = type[AIResult] | type[HumanVerification]

_SEVERITY = {HumanVerdict.OK: 1, HumanVerdict.HOLD: 2, HumanVerdict.NG: 3}


def completed(period: Period, scope: Scope) -> list[ColumnElement[bool]]:
    """Return the conditions of the sessions that statistics count; those on user and item come later."""
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


def count_facts(session: Session, period: Period, scope: Scope, asked: Question, zone: ZoneInfo) -> Cells:
    """Return the counts of a period, by the days of the site.

    Args:
        session: the transaction.
        period: without bounds the sessions count too that do not say when they were completed.
        scope: which sessions.
        asked: what is counted.
        zone: of the site.
    """
    found: Cells = Cells()
    for minute, group, machine, person, verdict, count in session.execute(_query(period, scope, asked)):
        day = day_of(datetime.datetime.fromisoformat(f"{minute}+00:00"), zone).isoformat() if minute else ""
        found[Cell(day, group or "", machine or "", person or "", verdict or "")] += int(count)
    return found


def _query(period: Period, scope: Scope, asked: Question) -> Select[Any]:
    """Return the query for the counts.

    What is looked up for a session is found by the index on the session of a fact. Joins with what is made within a
    query have no index: SQLite, which does not know how many rows that gives, then goes through all for each.
    """
    make = {CountKind.PART: _parts, CountKind.ITEM: _items, CountKind.DEFECT: _defects}[asked.kind]
    rows = make(period, scope, asked.by).subquery()
    return select(*rows.c, func.count()).where(rows.c.verdict.is_not(None)).group_by(*rows.c)


def _parts(period: Period, scope: Scope, by: Dimension) -> Select[Any]:
    """Return the parts with the verdicts of machine and person about the whole: the worst of their items."""
    machine = select(_worst(AIResult.overall_result)).where(_of_session(AIResult), _newest(AIResult))
    person = select(_worst(HumanVerification.verdict)).where(
        _of_session(HumanVerification), _newest(HumanVerification), _not_replaced()
    )
    session = _session_columns()
    return select(
        session["minute"],
        session.get(by.value, literal("")).label("group"),
        machine.scalar_subquery().label("machine"),
        person.scalar_subquery().label("person"),
        cast(InspectionSession.effective_verdict, String).label("verdict"),
    ).where(*_asked(period, scope))


def _items(period: Period, scope: Scope, by: Dimension) -> Select[Any]:
    """Return the items with their verdicts; a decision on the whole part is one on each item."""
    named = union(
        *(
            select(InspectionSession.id.label("session_id"), fact.item_id.label("item"), *_session_columns().values())
            .join(fact, fact.session_id == InspectionSession.id)
            .where(*_asked(period, scope), _named_item(fact, scope))
            for fact in (AIResult, HumanVerification)
        )
    ).subquery("named")
    about = or_(HumanVerification.item_id == named.c.item, HumanVerification.item_id.is_(None))
    machine = _last(AIResult, AIResult.overall_result, named, AIResult.item_id == named.c.item)
    person = _last(HumanVerification, HumanVerification.verdict, named, about)
    return select(
        named.c.minute,
        named.c.get(by.value, literal("")).label("group"),
        machine.label("machine"),
        person.label("person"),
        func.coalesce(person, machine).label("verdict"),
    )


def _defects(period: Period, scope: Scope, by: Dimension) -> Select[Any]:
    """Return the marked defects; of several decisions about one item the newest counts."""
    entries: Any = entries_of(HumanVerification.defects)
    name = json_text(entries.c.value, literal_column("'class'"))
    session = _session_columns()
    groups = {**session, Dimension.CLASS: name, Dimension.ITEM: func.coalesce(HumanVerification.item_id, "")}
    query = (
        select(
            session["minute"],
            groups.get(by, literal("")).label("group"),
            *(literal("").label(column) for column in ("machine", "person", "verdict")),
        )
        .select_from(InspectionSession)
        .join(HumanVerification, _of_session(HumanVerification))
        .join(entries, true())
        .where(*_asked(period, scope), _newest(HumanVerification), name.is_not(None))
    )
    return query if scope.item_id is None else query.where(HumanVerification.item_id == scope.item_id)


def _session_columns() -> dict[str, ColumnElement[Any]]:
    """Return the minute of a session's completion and what sessions are grouped by, by dimension."""
    return {
        "minute": utc_minute(InspectionSession.completed_at).label("minute"),
        Dimension.TARGET: InspectionSession.target_id.label(Dimension.TARGET),
        Dimension.STATION: InspectionSession.device_id.label(Dimension.STATION),
        Dimension.USER: _user().label(Dimension.USER),
    }


def _user() -> ColumnElement[str]:
    """Return who decided last; where nobody did, who inspected."""
    decision = aliased(HumanVerification)
    return func.coalesce(
        _newest_first(select(decision.user_id).where(_of_session(decision)), decision), InspectionSession.user_id, ""
    )


def _asked(period: Period, scope: Scope) -> list[ColumnElement[bool]]:
    conditions = completed(period, scope)
    return conditions if scope.user_id is None else [*conditions, _user() == scope.user_id]


def _named_item(fact: _Fact, scope: Scope) -> ColumnElement[bool]:
    return fact.item_id.is_not(None) if scope.item_id is None else fact.item_id == scope.item_id


def _of_session(fact: _Fact) -> ColumnElement[bool]:
    return fact.session_id == InspectionSession.id


def _last(fact: _Fact, value: InstrumentedAttribute[Any], named: Subquery, about: ColumnElement[bool]) -> Any:
    """Return the newest verdict about a named item."""
    query = select(cast(value, String)).where(fact.session_id == named.c.session_id, about)
    return _newest_first(query, fact)


def _newest_first(query: Select[Any], fact: _Fact) -> ScalarSelect[Any]:
    return query.order_by(fact.clock.desc(), fact.id.desc()).limit(1).scalar_subquery()


def _newest(fact: _Fact) -> ColumnElement[bool]:
    """Return the condition that no fact about the same item of the same session is newer."""
    newer = aliased(fact)
    return ~(
        select(newer.id)
        .where(
            newer.session_id == fact.session_id,
            newer.item_id.is_not_distinct_from(fact.item_id),
            tuple_(newer.clock, newer.id) > tuple_(fact.clock, fact.id),
        )
        .exists()
    )


def _not_replaced() -> ColumnElement[bool]:
    """Return the condition that no decision on the whole part is newer: it replaces all that was decided before it."""
    whole = aliased(HumanVerification)
    newer = select(whole.id).where(
        whole.session_id == HumanVerification.session_id,
        whole.item_id.is_(None),
        whole.clock > HumanVerification.clock,
    )
    return ~newer.exists()


def _worst(verdict: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """Return the worst of some verdicts by name."""
    severity = case(*((cast(verdict, String) == one.value, rank) for one, rank in _SEVERITY.items()))
    worst = func.max(severity)
    return case(*((worst == rank, one.value) for one, rank in _SEVERITY.items()))
