"""Building of the daily counts for sessions that are there already, and checking them against the facts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.orm import Session

from models.database import Database
from models.insertion import insert_if_absent
from models.sessions import InspectionSession
from models.statistics import CountedSession, DailyCount, DailyScore
from models.sync import SyncState
from server.daily_counts.contribution import NO_SCORES, CountKey, ScoreKey, ScoreSums, contribution
from server.daily_counts.counting import read_facts, recount

STATE = "daily_counts"
_FORMULA = 1
"""Counts up when ``contribution`` counts otherwise: counts of another one are built again."""
_AT_ONCE = 500
_STATE_OF = select(SyncState.value).where(SyncState.key == STATE)
"""Built once: every statistic asks it, and building it took as long as asking."""

Report = Callable[[int, int], object]
"""Takes how many sessions are counted, and how many there are."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a comparison of the counts with the facts found.

    Attributes:
        sessions: that were read.
        rows: of the counts.
        different: rows that are missing, too many or wrong.
    """

    sessions: int
    rows: int
    different: int


def are_complete(session: Session, zone: ZoneInfo) -> bool:
    """Return whether every session is counted by the days of ``zone``."""
    state = _state(session)
    return state is not None and _is_of(state, zone) and state["after"] is None


def build(
    database: Database,
    zone: ZoneInfo,
    *,
    again: bool = False,
    report: Report | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Count every session that is there; an interrupted build goes on where it was.

    Sessions that change meanwhile are counted by their own transactions, so that none is counted twice: counting one
    again takes away what it had added.

    Args:
        database: of the server, which may be at work with it.
        zone: of the site. Counts of another zone are thrown away first.
        again: throw them away in any case.
        report: of progress.
        stopped: whether to leave the rest for the next time.
    """
    with database.read() as session:
        if not again and are_complete(session, zone):
            return
        total = session.scalar(select(func.count()).select_from(InspectionSession)) or 0
    with database.transaction(large=True) as session:
        state = _state(session)
        if again or state is None or not _is_of(state, zone):
            for kind in (DailyCount, DailyScore, CountedSession):
                session.connection().execute(delete(kind))
            _keep(session, zone, after="")
    counted = 0
    while not stopped() and (done := _build_some(database, zone)) is not None:
        counted += done
        if report is not None:
            report(min(counted, total), total)


def verify(database: Database, zone: ZoneInfo) -> Verified:
    """Compare the counts with the facts, in one view of the store, and return what differs."""
    counts: Counter[CountKey] = Counter()
    scores: dict[ScoreKey, ScoreSums] = {}
    sessions = 0
    with database.read() as session:
        connection = session.connection()
        for ids in _all_ids(connection):
            sessions += len(ids)
            for part in read_facts(connection, ids).values():
                made = contribution(part, zone)
                if made is None:
                    continue
                for key, total in made.counts():
                    counts[key] += total
                for score_key, sums in made.score_sums():
                    scores[score_key] = scores.get(score_key, NO_SCORES).plus(sums)
        kept = _kept(connection, DailyCount, len(CountKey._fields)) | _kept(
            connection, DailyScore, len(ScoreKey._fields)
        )
    found: dict[Any, Any] = {tuple(key): (total,) for key, total in counts.items()}
    found |= {tuple(key): tuple(sums) for key, sums in scores.items()}
    different = sum(1 for key in kept.keys() | found.keys() if kept.get(key) != found.get(key))
    return Verified(sessions, len(kept), different)


def _build_some(database: Database, zone: ZoneInfo) -> int | None:
    """Count the next sessions and return how many; None when all are counted."""
    with database.transaction(large=True) as session:
        state = _state(session)
        if state is None or not _is_of(state, zone) or state["after"] is None:
            return None  # Another process has finished, or has begun with another zone.
        ids = _ids_after(session.connection(), state["after"])
        if ids:
            recount(session, ids, zone)
        _keep(session, zone, after=ids[-1] if ids else None)
        return len(ids) if ids else None


def _all_ids(connection: Connection) -> Iterator[list[str]]:
    last = ""
    while ids := _ids_after(connection, last):
        yield ids
        last = ids[-1]


def _ids_after(connection: Connection, last: str) -> list[str]:
    query = select(InspectionSession.id).where(InspectionSession.id > last).order_by(InspectionSession.id)
    return list(connection.scalars(query.limit(_AT_ONCE)))


def _kept(connection: Connection, kind: type[DailyCount] | type[DailyScore], columns: int) -> dict[Any, Any]:
    return {tuple(row[:columns]): tuple(row[columns:]) for row in connection.execute(select(*kind.__table__.columns))}


def _state(session: Session) -> dict[str, Any] | None:
    text = session.scalar(_STATE_OF)
    state = json.loads(text) if text else None
    return state if isinstance(state, dict) else None


def _is_of(state: dict[str, Any], zone: ZoneInfo) -> bool:
    return (state.get("zone"), state.get("formula")) == (zone.key, _FORMULA)


def _keep(session: Session, zone: ZoneInfo, *, after: str | None) -> None:
    insert_if_absent(session, SyncState(key=STATE, value=""))
    record = session.get_one(SyncState, STATE, with_for_update=True, populate_existing=True)
    record.value = json.dumps({"zone": zone.key, "formula": _FORMULA, "after": after})
    session.flush()
