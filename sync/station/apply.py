"""Applies what comes from the server to the station's store: pages of pulled changes, and records of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from models.clock import HybridLogicalClock, Stamp
from models.sessions import InspectionSession
from models.states import SessionStatus, status_rank
from models.synced import Master, synced_types
from models.tracking import remote_changes
from sync.shared.protocol import PulledChange, SnapshotRecord
from sync.station.lost_edits import keep_conflicts
from sync.station.outbox import send_whole, waiting_fields
from sync.station.state import COMPARED_TO, NEWEST_CLOCK, get_value, set_value
from sync.station.taking import News, ResyncNeeded, take_record

_PROGRESS = frozenset({"status", "started_at", "completed_at"})
"""Fields of a session that belong together."""


@dataclass(slots=True)
class Received:
    """What taking in a page did."""

    taken: int = 0
    skipped: int = 0
    conflicts: int = 0
    touched: set[tuple[str, str]] = field(default_factory=set)


def take_changes(session: Session, clock: HybridLogicalClock, changes: Sequence[PulledChange]) -> Received:
    """Take pulled changes into the store within the caller's transaction.

    Raises:
        ResyncNeeded: when one names a record that is not here.
    """
    received = Received()
    with remote_changes(session):
        for change in changes:
            revs = dict.fromkeys(change.fields, change.rev)
            news = News(change.rev, change.clock, change.fields, revs)
            taken = take_record(session, change.entity, change.entity_id, news)
            _count(received, taken, change.entity, change.entity_id)
            received.conflicts += keep_conflicts(
                session, change.entity, change.entity_id, change.change_id, change.conflicts
            )
            clock.observe(Stamp.parse(change.clock))
        if changes:
            set_value(session, NEWEST_CLOCK, str(clock.now()))
    return received


def take_snapshot(session: Session, clock: HybridLogicalClock, records: Sequence[SnapshotRecord]) -> Received:
    """Take records of a snapshot into the store within the caller's transaction; what waits in the outbox stays."""
    received = Received()
    with remote_changes(session):
        for record in records:
            revs = {name: record.field_revs.get(name) or record.rev or 0 for name in record.fields}
            _forget_positions(session, record)
            lost = _lost_of(session, record)
            fields = {name: value for name, value in record.fields.items() if name not in lost}
            if not fields:
                received.skipped += 1
                continue
            try:
                news = News(record.rev or 0, record.clock, fields, revs, record.field_clocks)
                taken = take_record(session, record.entity, record.entity_id, news)
            except ResyncNeeded:
                # A child that came to the server after its parent's page was read; the pull brings both.
                received.skipped += 1
                continue
            if lost:
                send_whole(session, session.get_one(synced_types()[record.entity], record.entity_id))
            _count(received, taken, record.entity, record.entity_id)
            if record.clock:
                clock.observe(Stamp.parse(record.clock))
        if records:
            set_value(session, NEWEST_CLOCK, str(clock.now()))
    return received


def _forget_positions(session: Session, record: SnapshotRecord) -> None:
    """Take a record's fields from the snapshot, even at lower positions than held here.

    The snapshot is the server's state of this moment. A server restored from a backup reuses positions, and
    what is remembered of the old ones would keep every later change away.
    """
    record_type = synced_types().get(record.entity)
    present = session.get(record_type, record.entity_id) if record_type else None
    if present is None:
        return
    if isinstance(present, Master):
        present.field_clocks = {name: {**state, "rev": None} for name, state in present.field_clocks.items()}
    present.rev = None if record.rev is None else min(present.rev or record.rev, record.rev)


def _lost_of(session: Session, record: SnapshotRecord) -> frozenset[str]:
    """Return the fields of a session of which the server has lost the newer state that it had acknowledged.

    All of them where its stamp is older: the comparison that was asked for sends the session again. Where somebody has
    changed it there since, the status alone tells. While a change of it waits here, an older state says nothing.
    """
    if record.entity != InspectionSession.entity or get_value(session, COMPARED_TO) is None:
        return frozenset()
    present = session.get(InspectionSession, record.entity_id)
    if present is None or waiting_fields(session, record.entity, record.entity_id):
        return frozenset()
    if record.clock < present.clock:
        return frozenset(record.fields)
    behind = status_rank(SessionStatus(record.fields["status"])) < status_rank(present.status)
    return _PROGRESS if behind else frozenset()


def _count(received: Received, taken: bool, entity: str, entity_id: str) -> None:
    if taken:
        received.taken += 1
        received.touched.add((entity, entity_id))
    else:
        received.skipped += 1
