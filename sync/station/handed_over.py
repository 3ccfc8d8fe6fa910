"""Gives back to the former station what it has sent itself: a copy of its store holds what waited at that moment."""

from __future__ import annotations

from sqlalchemy import select

from models.audit import AuditEntry
from models.database import Database
from models.states import ChangeOperation
from models.sync import OutboxEntry
from models.synced import Master, synced_types
from models.tracking import remote_changes
from sync.shared.protocol import MAX_COMPARED, HeldRecord, Inventory
from sync.station.client import ServerClient
from sync.station.state import HANDED_OVER_FROM, get_value, set_value


def give_back(database: Database, client: ServerClient) -> None:
    """Make the former station the owner of those parts and facts again that wait here and that the server has.

    Done once, before a station made of another one's store sends anything: until then only the former station can have
    sent them. Their changes go all the same, and are known there.

    Raises:
        UserFacingError: when the server does not answer; the next pass begins with it again.
    """
    with database.read() as session:
        former_id = get_value(session, HANDED_OVER_FROM)
    if former_id is None:
        return
    after = 0
    while page := _page(database, after):
        after = page[-1][0]
        asked = [HeldRecord(entity=entity, entity_id=entity_id) for _, entity, entity_id in page]
        absent = {one.entity_id for one in client.compare(Inventory(records=asked)).records}
        _restate(database, former_id, [sequence for sequence, _, entity_id in page if entity_id not in absent])
    with database.transaction() as session:
        set_value(session, HANDED_OVER_FROM, None)


def _page(database: Database, after: int) -> list[tuple[int, str, str]]:
    """Return the next insertions of parts and facts that wait: sequence, entity and id."""
    kinds = [name for name, kind in synced_types().items() if not issubclass(kind, Master) and kind is not AuditEntry]
    query = (
        select(OutboxEntry.sequence, OutboxEntry.entity, OutboxEntry.entity_id)
        .where(OutboxEntry.op == ChangeOperation.INSERT, OutboxEntry.entity.in_(kinds), OutboxEntry.sequence > after)
        .order_by(OutboxEntry.sequence)
        .limit(MAX_COMPARED)
    )
    with database.read() as session:
        return [(row.sequence, row.entity, row.entity_id) for row in session.execute(query)]


def _restate(database: Database, device_id: str, sequences: list[int]) -> None:
    with database.transaction() as session, remote_changes(session):
        for entry in session.scalars(select(OutboxEntry).where(OutboxEntry.sequence.in_(sequences))):
            entry.fields = {**entry.fields, "device_id": device_id}
            record = session.get(synced_types()[entry.entity], entry.entity_id)
            if record is not None:
                record.device_id = device_id  # type: ignore[attr-defined]  # facts and sessions have it
