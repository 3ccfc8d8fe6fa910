"""Keeps the daily counts true: what a transaction changed about sessions is counted again before it commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, and_, bindparam, delete, select
from sqlalchemy.orm import Session

from models.batches import in_batches
from models.last_work import do_last
from models.sessions import AIResult, InspectionSession
from models.states import SessionStatus
from models.statistics import CountedSession, DailyCount, DailyScore
from models.verification import HumanVerification
from server.daily_counts.contribution import (
    NO_SCORES,
    Contribution,
    CountKey,
    DecisionFact,
    PartFacts,
    ResultFact,
    ScoreKey,
    ScoreSums,
    contribution,
)

_CHANGED = "imageflow.recounted"


@dataclass(frozen=True, slots=True)
class DailyCounting:
    """Counts sessions again whose facts a transaction has changed; what ``Database`` tells of changed parts.

    Attributes:
        zone: of the site, whose days are counted.
    """

    zone: ZoneInfo

    def __call__(self, session: Session, session_ids: Collection[str]) -> None:
        """Have some sessions counted again as the last work of the transaction.

        Positions in the order lock keep others from changing the same sessions meanwhile.
        """
        session.info.setdefault(_CHANGED, set()).update(session_ids)
        # Each time: work that was put off within a savepoint is forgotten with it. The first of them does all.
        do_last(session, self._recount)

    def _recount(self, session: Session) -> None:
        changed: set[str] = session.info.pop(_CHANGED, set())
        for some in in_batches(sorted(changed)):
            recount(session, some, self.zone)


def recount(session: Session, session_ids: Sequence[str], zone: ZoneInfo) -> None:
    """Bring the counts in line with the facts of some sessions: what they added before goes, what they add now comes.

    Args:
        session: an ordered transaction that has written the facts.
        session_ids: at most some hundred; sessions that are gone are taken out of the counts.
        zone: of the site.
    """
    connection = session.connection()
    query = select(CountedSession.session_id, CountedSession.counted).where(CountedSession.session_id.in_(session_ids))
    before = {part: Contribution.from_json(counted) for part, counted in connection.execute(query)}
    facts = read_facts(connection, session_ids)
    now = {part: made for part, found in facts.items() if (made := contribution(found, zone)) is not None}
    changed = [part for part in session_ids if before.get(part) != now.get(part)]
    if changed:
        add_counts(
            connection, *difference((before[p] for p in changed if p in before), (now[p] for p in changed if p in now))
        )
        _note_counted(connection, changed, now)


def difference(
    before: Iterable[Contribution], now: Iterable[Contribution]
) -> tuple[Counter[CountKey], dict[ScoreKey, ScoreSums]]:
    """Return what is to be added to the counts, negative where less is left."""
    counts: Counter[CountKey] = Counter()
    scores: dict[ScoreKey, ScoreSums] = {}
    for sign, contributions in ((-1, before), (1, now)):
        for one in contributions:
            for key, total in one.counts():
                counts[key] += sign * total
            for score_key, sums in one.score_sums():
                scores[score_key] = scores.get(score_key, NO_SCORES).plus(sums, sign)
    return counts, scores


def read_facts(connection: Connection, session_ids: Sequence[str]) -> dict[str, PartFacts]:
    """Return some sessions by id; with their facts those that are completed, since no other counts."""
    parts = select(
        InspectionSession.id,
        InspectionSession.target_id,
        InspectionSession.device_id,
        InspectionSession.user_id,
        InspectionSession.status,
        InspectionSession.completed_at,
    ).where(InspectionSession.id.in_(session_ids))
    found = {row[0]: PartFacts(*row[1:]) for row in connection.execute(parts)}
    counting = [part for part, record in found.items() if record.status is SessionStatus.COMPLETED]
    results = select(
        AIResult.session_id,
        AIResult.id,
        AIResult.clock,
        AIResult.item_id,
        AIResult.overall_result,
        AIResult.anomaly_score,
        AIResult.threshold,
    ).where(AIResult.session_id.in_(counting))
    decisions = select(
        HumanVerification.session_id,
        HumanVerification.id,
        HumanVerification.clock,
        HumanVerification.item_id,
        HumanVerification.verdict,
        HumanVerification.user_id,
        HumanVerification.defects,
    ).where(HumanVerification.session_id.in_(counting))
    if counting:
        for row in connection.execute(results):
            found[row[0]].results.append(ResultFact(*row[1:]))
        for decided in connection.execute(decisions):
            found[decided[0]].decisions.append(DecisionFact(*decided[1:]))
    return found


def add_counts(connection: Connection, counts: Mapping[CountKey, int], scores: Mapping[ScoreKey, ScoreSums]) -> None:
    """Add to the counts; rows that come to nothing are removed, so that equal facts give equal tables."""
    count_rows = [{**key._asdict(), "total": total} for key, total in sorted(counts.items()) if total]
    score_rows = [{**key._asdict(), **sums._asdict()} for key, sums in sorted(scores.items()) if sums != NO_SCORES]
    for table, rows, key in ((_COUNTS, count_rows, CountKey._fields), (_SCORES, score_rows, ScoreKey._fields)):
        if rows:
            _add(connection, table, rows, key)


def _add(connection: Connection, table: Table, rows: list[dict[str, Any]], key: Sequence[str]) -> None:
    summed = [name for name in table.columns.keys() if name not in key]  # noqa: SIM118 - iterating gives columns
    insert = _insert(connection)(table)
    added = {name: table.columns[name] + insert.excluded[name] for name in summed}
    connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=added), rows)
    fewer = [{f"of_{name}": row[name] for name in key} for row in rows if row["total"] < 0]
    if fewer:
        columns = [table.columns[name] for name in key]
        of_row = and_(*(column == bindparam(f"of_{column.name}", type_=column.type) for column in columns))
        connection.execute(delete(table).where(of_row, table.columns["total"] == 0), fewer)


def _note_counted(connection: Connection, changed: Sequence[str], now: Mapping[str, Contribution]) -> None:
    gone = [part for part in changed if part not in now]
    if gone:
        connection.execute(delete(_COUNTED).where(_COUNTED.c.session_id.in_(gone)))
    rows = [{"session_id": part, "counted": now[part].to_json()} for part in changed if part in now]
    if rows:
        insert = _insert(connection)(_COUNTED)
        newest = {"counted": insert.excluded["counted"]}
        connection.execute(insert.on_conflict_do_update(index_elements=["session_id"], set_=newest), rows)


def _insert(connection: Connection) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    return insert


_COUNTS, _SCORES, _COUNTED = (cast("Table", kind.__table__) for kind in (DailyCount, DailyScore, CountedSession))
