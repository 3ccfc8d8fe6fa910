"""Compares what a station holds with what is here, so that nothing stays acknowledged that a restore has lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.synced import Master, SyncKind, snapshot, synced_types
from server.objects.damage import is_whole
from server.objects.records import recorded_sizes
from server.objects.store import ObjectStore
from sync.shared.protocol import HeldRecord, Inventory, Lacking, StaleMaster


def lacking(session: Session, objects: ObjectStore, held: Inventory) -> Lacking:
    """Return what is not here, or here in an older state: facts and sessions by their ids, blobs by their bytes.

    A blob of another size than was recorded is damaged and counts as not here; its digest would take reading it.

    Ids are random and digests cannot be guessed: whoever names one holds it.
    """
    by_entity: dict[str, list[HeldRecord]] = defaultdict(list)
    for record in held.records:
        by_entity[record.entity].append(record)
    records = [one for entity, given in by_entity.items() for one in _not_here(session, entity, given)]
    masters = [one for entity, given in by_entity.items() for one in _stale(session, entity, given)]
    sizes = recorded_sizes(session, held.blobs)
    blobs = [sha256 for sha256 in held.blobs if not is_whole(objects, sha256, sizes.get(sha256))]
    return Lacking(records=records, blobs=blobs, masters=masters)


def _stale(session: Session, entity: str, held: list[HeldRecord]) -> Iterable[StaleMaster]:
    """Return the masters that are not here as the station has them; what is secret of one never travels."""
    record_type = synced_types().get(entity)
    if record_type is None or not issubclass(record_type, Master):
        return
    query = select(record_type).where(record_type.id.in_([one.entity_id for one in held]))
    present = {record.id: record for record in session.scalars(query)}
    for one in held:
        record = present.get(one.entity_id)
        if record is None:
            yield StaleMaster(entity=entity, entity_id=one.entity_id)
        elif record.clock != one.clock:
            yield StaleMaster(
                entity=entity,
                entity_id=record.id,
                rev=record.rev,
                clock=record.clock,
                fields=snapshot(record),
                field_clocks={name: state.get("clock", "") for name, state in record.field_clocks.items()},
            )


def _not_here(session: Session, entity: str, held: list[HeldRecord]) -> Iterable[HeldRecord]:
    record_type = synced_types().get(entity)
    if record_type is None or record_type.kind is SyncKind.MASTER:
        return []
    query = select(record_type.id, record_type.clock).where(record_type.id.in_([one.entity_id for one in held]))
    clocks = {row.id: row.clock for row in session.execute(query)}
    owned = record_type.kind is SyncKind.OWNED
    return [one for one in held if one.entity_id not in clocks or (owned and clocks[one.entity_id] < one.clock)]
