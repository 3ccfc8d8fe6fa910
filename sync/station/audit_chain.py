"""Moves a station's own audit entries behind those that the server holds of another life of the same station.

A store restored from a backup, or a copy that goes on, continues its chain where others have continued it already. The
entries that the server lacks are put behind the server's newest one, in their order: sequence and digests are new, what
they say is not, and each keeps its former place in ``extra``. Those that it holds already, from another copy that sent
them first, give up the place they have here and take the server's with the snapshot.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.audit import GENESIS, AuditEntry, AuditHead, append_audit, seal_audit
from models.ids import new_id
from models.insertion import insert_if_absent
from models.states import OutboxState
from models.sync import OutboxEntry
from models.synced import snapshot
from models.tracking import remote_changes

_ACTOR = "imageflow"
FORMER_PLACE = "former_place"
"""Where an entry was before it was moved: ``device_id``, ``sequence`` and ``digest``; travels with it."""
_PLACE = ("sequence", "previous_digest", "digest")


def diverged(session: Session, device_id: str, sequence: int, digest: str) -> bool:
    """Return whether the chain here does not continue the server's, whose newest entry is given.

    A server that is behind, or that holds what is here, is continued.
    """
    if sequence == 0:
        return False
    query = select(AuditEntry.digest).where(AuditEntry.device_id == device_id, AuditEntry.sequence == sequence)
    return session.scalar(query) != digest


def waiting_entries(session: Session, device_id: str) -> list[str]:
    """Return the ids of the audit entries of a device that have not been acknowledged, in their order."""
    query = (
        select(AuditEntry.id)
        .join(OutboxEntry, OutboxEntry.entity_id == AuditEntry.id)
        .where(OutboxEntry.entity == AuditEntry.entity, AuditEntry.device_id == device_id)
        .order_by(AuditEntry.sequence)
    )
    return list(session.scalars(query))


def give_up_places(session: Session, entry_ids: Collection[str]) -> None:
    """Free the places of entries that the server holds at its own ones, and take them out of the outbox.

    Their sequences are negative until ``take_place``.
    """
    with remote_changes(session):
        query = select(AuditEntry).where(AuditEntry.id.in_(entry_ids), AuditEntry.sequence > 0)
        lowest = min(session.scalar(select(func.min(AuditEntry.sequence))) or 0, 0)
        for number, entry in enumerate(session.scalars(query), start=1):
            entry.sequence = lowest - number
        sent = OutboxEntry.entity_id.in_(entry_ids) & (OutboxEntry.entity == AuditEntry.entity)
        session.execute(delete(OutboxEntry).where(sent))
        session.flush()


def take_place(entry: AuditEntry, fields: Mapping[str, Any]) -> None:
    """Give an entry whose place was given up the one that the server's fields name."""
    if entry.sequence > 0:
        return
    for name in _PLACE:
        setattr(entry, name, fields[name])
    if FORMER_PLACE in fields:
        entry.extra = {**entry.extra, FORMER_PLACE: fields[FORMER_PLACE]}


def move_entries(session: Session, entry_ids: Collection[str], *, device_id: str, sequence: int, digest: str) -> int:
    """Put waiting entries behind the newest entry of a chain, within the caller's transaction, and return how many.

    The move itself becomes the chain's next entry.

    Args:
        session: the transaction.
        entry_ids: of entries of this store that wait in the outbox.
        device_id: whose chain it is.
        sequence: of the newest entry of that chain, 0 for a new chain.
        digest: of that entry.
    """
    with remote_changes(session):
        entries = list(
            session.scalars(select(AuditEntry).where(AuditEntry.id.in_(entry_ids)).order_by(AuditEntry.sequence))
        )
        sequence, digest = _rechain(session, entries, device_id, sequence, digest or GENESIS)
        insert_if_absent(session, AuditHead(device_id=device_id))
        head = session.get_one(AuditHead, device_id, populate_existing=True)
        head.sequence, head.digest = sequence, digest
        _restate(session, entries)
    if entries:
        detail = {"entries": len(entries), "first_sequence": entries[0].sequence}
        append_audit(session, device_id=device_id, actor=_ACTOR, action="audit.entries_moved", detail=detail)
    return len(entries)


def _rechain(
    session: Session, entries: Sequence[AuditEntry], device_id: str, sequence: int, digest: str
) -> tuple[int, str]:
    for entry in entries:
        place = {"device_id": entry.device_id, "sequence": entry.sequence, "digest": entry.digest}
        entry.extra = {**entry.extra, FORMER_PLACE: entry.extra.get(FORMER_PLACE, place)}
    # Two steps: no place may be held twice on the way.
    for entry in entries:
        entry.sequence = -entry.sequence
    session.flush()
    for entry in entries:
        sequence += 1
        entry.device_id, entry.sequence, entry.previous_digest = device_id, sequence, digest
        digest = seal_audit(entry)
    session.flush()
    return sequence, digest


def _restate(session: Session, entries: Sequence[AuditEntry]) -> None:
    """Make the outbox say what the entries say now; one refused for its place is sent again."""
    by_id = {entry.id: entry for entry in entries}
    query = select(OutboxEntry).where(OutboxEntry.entity == AuditEntry.entity, OutboxEntry.entity_id.in_(by_id))
    for waiting in session.scalars(query):
        waiting.fields = snapshot(by_id[waiting.entity_id])
        if waiting.state is OutboxState.DEAD:
            waiting.state, waiting.problem, waiting.change_id = OutboxState.WAITING, None, new_id()
