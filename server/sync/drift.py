"""Compares counts and digests by entity and day, so that a difference nobody knows of does not stay."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import InvalidInput
from models.synced import Master, Synced, synced_types
from sync.shared.addressed import ADDRESSED, is_for
from sync.shared.drift import content_of, day_digests
from sync.shared.protocol import DayDigest, DriftAnswer, DriftQuestion


def differing_days(session: Session, device_id: str, asked: DriftQuestion) -> DriftAnswer:
    """Return the days on which the server holds something else than a station, each as the server has it.

    Raises:
        InvalidInput: ``sync-change-invalid`` for a day that the calendar does not have.
    """
    try:
        since = datetime.fromisoformat(asked.since).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput("sync-change-invalid", reason=str(error)) from error
    given = {(one.entity, one.day): one for one in asked.days}
    differing: list[DayDigest] = []
    types = synced_types()
    for entity in asked.entities:
        if entity not in types:
            continue
        here = {(entity, one.day): one for one in _digests(session, types[entity], device_id, since)}
        days = sorted({day for kind, day in (*given, *here) if kind == entity})
        for day in days:
            mine, theirs = here.get((entity, day)), given.get((entity, day))
            if mine is None or theirs is None or (mine.count, mine.digest) != (theirs.count, theirs.digest):
                differing.append(mine or DayDigest(entity=entity, day=day, count=0, digest="0" * 32))
    return DriftAnswer(differing=differing)


def _digests(session: Session, kind: type[Synced], device_id: str, since: datetime) -> list[DayDigest]:
    if issubclass(kind, Master):
        query = select(kind)
        if issubclass(kind, ADDRESSED):
            query = query.where(is_for(kind, device_id))
        return day_digests(kind.entity, ((one.created_at, content_of(one)) for one in session.scalars(query)))
    owner = kind.device_id  # type: ignore[attr-defined]  # facts and sessions have it
    rows = session.execute(select(kind.created_at, kind.id).where(owner == device_id, kind.created_at >= since))
    return day_digests(kind.entity, ((row.created_at, row.id) for row in rows))
