"""Statistics from the facts themselves: for lots, for parts of days, and while the daily counts are not complete."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.sessions import AIResult, InspectionSession
from models.states import CountKind, HumanVerdict, SessionStatus
from models.verification import HumanVerification
from server.core.periods import Period
from server.core.site_time import day_of
from server.quality.cells import Cell, Cells, Dimension, Question, Scope
from server.quality.expressions import entries_of, json_text, utc_minute

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
    parts = _parts(period, scope)
    if asked.kind is CountKind.DEFECT:
        return _defects(parts, scope, asked)
    rows = _of_items(parts, scope) if asked.kind is CountKind.ITEM else _of_parts(parts)
    group = _group(asked.by, parts, rows)
    columns = (parts.c.minute, group, rows.c.machine, rows.c.person, rows.c.verdict)
    query = select(*columns, func.count()).join(rows, rows.c.session_id == parts.c.id)
    return query.where(rows.c.verdict.is_not(None)).group_by(*columns)


def _parts(period: Period, scope: Scope) -> CTE:
    """Return the sessions with the minute of their completion and their user."""
    last = (
        select(HumanVerification.user_id)
        .where(HumanVerification.session_id == InspectionSession.id)
        .order_by(HumanVerification.clock.desc(), HumanVerification.id.desc())
        .limit(1)
        .correlate(InspectionSession)
        .scalar_subquery()
    )
    user = func.coalesce(last, InspectionSession.user_id, "")
    query = select(
        InspectionSession.id.label("id"),
        utc_minute(InspectionSession.completed_at).label("minute"),
        InspectionSession.target_id.label("target_id"),
        InspectionSession.device_id.label("device_id"),
        InspectionSession.effective_verdict.label("verdict"),
        user.label("user_id"),
    ).where(*completed(period, scope))
    if scope.user_id is not None:
        query = query.where(user == scope.user_id)
    return query.cte("parts")


def _of_parts(parts: CTE) -> CTE:
    """Return the verdicts of machine and person about whole parts: the worst of their items."""
    machine = _worst(
        _ranked(_severity(AIResult.overall_result), AIResult.session_id, AIResult.item_id, among=parts), "machine_worst"
    )
    whole = (
        select(HumanVerification.session_id, func.max(HumanVerification.clock).label("clock"))
        .where(HumanVerification.item_id.is_(None))
        .group_by(HumanVerification.session_id)
        .cte("whole")
    )
    # A decision on the whole part replaces all that was decided before it.
    since = or_(whole.c.clock.is_(None), HumanVerification.clock >= whole.c.clock)
    decided = _ranked(
        _severity(HumanVerification.verdict),
        HumanVerification.session_id,
        HumanVerification.item_id,
        among=parts,
        since=(whole, since),
    )
    person = _worst(decided, "person_worst")
    return (
        select(
            parts.c.id.label("session_id"),
            _name(machine.c.worst).label("machine"),
            _name(person.c.worst).label("person"),
            cast(parts.c.verdict, String).label("verdict"),
        )
        .outerjoin(machine, machine.c.session_id == parts.c.id)
        .outerjoin(person, person.c.session_id == parts.c.id)
        .cte("part_verdicts")
    )


def _of_items(parts: CTE, scope: Scope) -> CTE:
    """Return the verdicts of machine and person about items; a decision on the whole part is one on each item."""
    named = union(
        *(
            select(fact.session_id.label("session_id"), fact.item_id.label("item_id"))
            .join(parts, parts.c.id == fact.session_id)
            .where(fact.item_id.is_not(None) if scope.item_id is None else fact.item_id == scope.item_id)
            for fact in (AIResult, HumanVerification)
        )
    ).cte("named_items")
    machine = _ranked(cast(AIResult.overall_result, String), AIResult.session_id, AIResult.item_id, among=parts)
    about = or_(HumanVerification.item_id == named.c.item_id, HumanVerification.item_id.is_(None))
    place = func.row_number().over(
        partition_by=(named.c.session_id, named.c.item_id),
        order_by=(HumanVerification.clock.desc(), HumanVerification.id.desc()),
    )
    person = (
        select(
            named.c.session_id,
            named.c.item_id,
            cast(HumanVerification.verdict, String).label("value"),
            place.label("place"),
        )
        .join(HumanVerification, and_(HumanVerification.session_id == named.c.session_id, about))
        .cte("item_decisions")
    )
    return (
        select(
            named.c.session_id,
            named.c.item_id,
            machine.c.value.label("machine"),
            person.c.value.label("person"),
            func.coalesce(person.c.value, machine.c.value).label("verdict"),
        )
        .outerjoin(machine, _of_same_item(machine, named))
        .outerjoin(person, _of_same_item(person, named))
        .cte("item_verdicts")
    )


def _defects(parts: CTE, scope: Scope, asked: Question) -> Select[Any]:
    """Return the query for marked defects; of several decisions about one item the newest counts."""
    marked = _ranked(HumanVerification.defects, HumanVerification.session_id, HumanVerification.item_id, among=parts)
    entries: Any = entries_of(marked.c.value)
    name = json_text(entries.c.value, literal_column("'class'"))
    group = name if asked.by is Dimension.CLASS else _group(asked.by, parts, marked)
    nothing = (literal("").label("machine"), literal("").label("person"), literal("").label("verdict"))
    query = (
        select(parts.c.minute, group.label("group"), *nothing, func.count())
        .select_from(parts.join(marked, marked.c.session_id == parts.c.id).join(entries, true()))
        .where(marked.c.place == 1, name.is_not(None))
    )
    if scope.item_id is not None:
        query = query.where(marked.c.item_id == scope.item_id)
    return query.group_by(parts.c.minute, group)


def _ranked(
    value: ColumnElement[Any] | InstrumentedAttribute[Any],
    *partition: InstrumentedAttribute[Any],
    among: CTE | None = None,
    since: tuple[CTE, ColumnElement[bool]] | None = None,
) -> CTE:
    """Return facts with their ``place`` within the partition, the newest first.

    Args:
        value: of the fact.
        partition: its session, and its item where the newest of each is wanted.
        among: only facts of these sessions.
        since: only facts that meet a condition on a row of the same session, which may be missing.
    """
    fact: Any = partition[0].class_
    place = func.row_number().over(partition_by=partition, order_by=(fact.clock.desc(), fact.id.desc()))
    query = select(*(column.label(column.key) for column in partition), value.label("value"), place.label("place"))
    if among is not None:
        query = query.join(among, among.c.id == fact.session_id)
    if since is not None:
        query = query.outerjoin(since[0], since[0].c.session_id == fact.session_id).where(since[1])
    return query.cte()


def _worst(ranked: CTE, name: str) -> CTE:
    query = select(ranked.c.session_id, func.max(ranked.c.value).label("worst")).where(ranked.c.place == 1)
    return query.group_by(ranked.c.session_id).cte(name)


def _severity(verdict: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return case(*((cast(verdict, String) == one.value, rank) for one, rank in _SEVERITY.items()))


def _name(severity: ColumnElement[Any]) -> ColumnElement[Any]:
    return case(*((severity == rank, one.value) for one, rank in _SEVERITY.items()))


def _of_same_item(ranked: CTE, named: CTE) -> ColumnElement[bool]:
    return and_(ranked.c.session_id == named.c.session_id, ranked.c.item_id == named.c.item_id, ranked.c.place == 1)


def _group(by: Dimension, parts: CTE, rows: CTE) -> ColumnElement[Any]:
    columns: dict[Dimension, Any] = {
        Dimension.TARGET: parts.c.target_id,
        Dimension.STATION: parts.c.device_id,
        Dimension.USER: parts.c.user_id,
    }
    if by is Dimension.ITEM:
        return func.coalesce(rows.c.item_id, "").label("group")
    found: ColumnElement[Any] = columns.get(by, literal("")).label("group")
    return found
