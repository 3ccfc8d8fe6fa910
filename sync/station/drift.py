"""Once a day: whether this station and its server hold the same, by counts and digests of each day."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.clock import parse_rfc3339, rfc3339, utc_now
from models.database import Database
from models.errors import NotFound
from models.states import ChangeOperation
from models.sync import Blob, OutboxEntry
from models.synced import Master, Synced, synced_types
from sync.shared.drift import DRIFT_DAYS, content_of, day_digests
from sync.shared.protocol import MAX_COMPARED, DayDigest, DriftQuestion, Inventory
from sync.station.client import ServerClient
from sync.station.comparing import begin_comparison
from sync.station.foreign_masters import remove_foreign
from sync.station.given_up import given_up, given_up_file
from sync.station.state import DRIFT_CHECKED_AT, DRIFT_FOUND, forget_position, get_value, set_value

_PERIOD = timedelta(days=1)
_ACTOR = "imageflow"
_MOST_NAMED = 50
_BLOBS = "blob"


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """Looks for differences that no acknowledgement tells of.

    Attributes:
        database: the station's.
        client: the server.
        device_id: this station.
    """

    database: Database
    client: ServerClient
    device_id: str

    def run(self) -> bool:
        """Compare if a day has gone by since the last time; return whether there is a difference to repair.

        It is repaired by the snapshot and a whole comparison, which this asks for, and kept for people to see.
        """
        with self.database.read() as session:
            checked_at = get_value(session, DRIFT_CHECKED_AT)
        due = checked_at is not None and _is_due(checked_at)
        if due:
            remove_foreign(self.database, self.device_id)
        with self.database.read() as session:
            question = self._question(session) if due else None
            blobs = _sample(session) if due else []
        if checked_at is None:
            self._note()  # A new store has just taken the snapshot.
        if question is None:
            return False
        try:
            places = [f"{one.entity} {one.day}" for one in self.client.drift(question).differing]
        except NotFound:
            places = []  # A server from before this check.
        lacking = self.client.compare(Inventory(blobs=blobs)).blobs if blobs else []
        places += [f"{_BLOBS} {sha256}" for sha256 in lacking]
        with self.database.transaction() as session:
            now = rfc3339(utc_now())
            set_value(session, DRIFT_CHECKED_AT, now)
            if places:
                forget_position(session)
                begin_comparison(session)
                found = {"at": now, "places": places[:_MOST_NAMED], "count": len(places)}
                set_value(session, DRIFT_FOUND, json.dumps(found))
                append_audit(session, device_id=self.device_id, actor=_ACTOR, action="sync.drift_found", detail=found)
        return bool(places)

    def _note(self) -> None:
        with self.database.transaction() as session:
            set_value(session, DRIFT_CHECKED_AT, rfc3339(utc_now()))

    def _question(self, session: Session) -> DriftQuestion:
        since = (utc_now() - timedelta(days=DRIFT_DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
        entities, days = [], []
        for entity, kind in synced_types().items():
            if issubclass(kind, Master) and _has_waiting(session, entity):
                continue  # An edit on its way is no difference.
            entities.append(entity)
            days += self._digests(session, kind, since.astimezone(UTC))
        return DriftQuestion(since=rfc3339(since)[:10], entities=entities, days=days)

    def _digests(self, session: Session, kind: type[Synced], since: datetime) -> list[DayDigest]:
        if issubclass(kind, Master):
            held = select(kind).where(~given_up(kind))
            return day_digests(kind.entity, ((one.created_at, content_of(one)) for one in session.scalars(held)))
        owner = kind.device_id  # type: ignore[attr-defined]  # facts and sessions have it
        query = select(kind.created_at, kind.id).where(owner == self.device_id, kind.created_at >= since)
        rows = session.execute(query.where(~_on_its_way(kind), ~given_up(kind)))
        return day_digests(kind.entity, ((row.created_at, row.id) for row in rows))


def _is_due(checked_at: str) -> bool:
    """Return whether a day has gone by; also when the clock went back behind the last check."""
    passed = utc_now() - parse_rfc3339(checked_at)
    return not timedelta(0) <= passed < _PERIOD


def _has_waiting(session: Session, entity: str) -> bool:
    return bool(session.scalar(select(exists().where(OutboxEntry.entity == entity))))


def _on_its_way(kind: type[Synced]) -> ColumnElement[bool]:
    return exists().where(
        OutboxEntry.entity == kind.entity,
        OutboxEntry.entity_id == kind.id,
        OutboxEntry.op == ChangeOperation.INSERT,
    )


def _sample(session: Session) -> list[str]:
    """Return digests of files that the server has acknowledged: the newest, and some of any age."""
    sent = select(Blob.sha256).where(Blob.present, Blob.uploaded_at.is_not(None), ~given_up_file())
    newest = session.scalars(sent.order_by(Blob.uploaded_at.desc()).limit(MAX_COMPARED // 2)).all()
    # Digests are evenly spread: those behind a random one are a random sample.
    behind = sent.where(Blob.sha256 > secrets.token_hex(32)).order_by(Blob.sha256).limit(MAX_COMPARED // 2)
    return sorted({*newest, *session.scalars(behind)})
