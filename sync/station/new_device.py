"""Makes a store that belonged to one station the store of another, with what it has recorded.

The rule: what the former station's server has not acknowledged is the new station's, as if it had been recorded there.
At the same server everything else stays the former station's, which has it there. A server that does not know the
former station has nothing of it, so there all that was recorded here is the new station's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from models.audit import AuditEntry, AuditHead, append_audit
from models.database import Database
from models.ids import new_id
from models.sessions import InspectionSession
from models.states import ChangeOperation
from models.sync import Blob, OutboxEntry
from models.synced import Master, Synced, synced_types
from models.tracking import remote_changes
from sync.station.audit_chain import move_entries
from sync.station.identity import branch
from sync.station.state import (
    COMPARED_TO,
    DEVICE_ID,
    DRIFT_CHECKED_AT,
    FORKED_AT,
    GENERATION,
    HANDED_OVER_FROM,
    REVOKED_AT,
    SERVER_URL,
    STORE_MACHINE,
    STORE_PARENT,
    set_value,
)

_DEVICE = "device_id"
_ACTOR = "imageflow"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class HeldCounts:
    """What a store holds that a server may lack: records by kind, and files.

    Attributes:
        records: how many of each kind, by its name on the wire.
        since: when the first part was begun; None without any.
    """

    records: dict[str, int]
    files: int
    file_bytes: int
    since: datetime | None = None


def held_counts(database: Database, device_id: str) -> HeldCounts:
    """Return how much a station holds of its own records, of masters and of files."""
    counts: dict[str, int] = {}
    with database.read() as session:
        for name, kind in synced_types().items():
            query = select(func.count()).select_from(kind)
            if not issubclass(kind, Master):
                query = query.where(_owner(kind) == device_id)
            counts[name] = session.scalar(query) or 0
        files = session.execute(select(func.count(), func.sum(Blob.size_bytes)).where(Blob.present)).one()
        parts = select(func.min(InspectionSession.created_at)).where(InspectionSession.device_id == device_id)
        since = session.scalar(parts)
    return HeldCounts(counts, files[0], int(files[1] or 0), since)


def become_device(session: Session, *, former_id: str, device_id: str, server_url: str, same_server: bool) -> None:
    """Make this store that of ``device_id``, within the caller's transaction.

    Args:
        session: the transaction.
        former_id: the station whose store it was.
        device_id: the station whose store it becomes.
        server_url: of the server that gave the id.
        same_server: the server knows the former station, and keeps what that one has sent as that one's.
    """
    moved: dict[str, int] = {}
    with remote_changes(session):
        for name, kind in synced_types().items():
            if issubclass(kind, Master):
                if not same_server:
                    _forget_positions(session, kind)
            elif kind is not AuditEntry:
                moved[name] = _hand_over(session, kind, former_id, device_id, everything=not same_server)
        _restate_devices(session, device_id)
    entries = _entries(session, former_id, everything=not same_server)
    if same_server:
        entries = _as_entries_of_its_own(session, entries)
    moved[AuditEntry.entity] = move_entries(session, entries, device_id=device_id, sequence=0, digest="")
    _cut_chain(session, former_id)
    _begin_anew(session, device_id, server_url)
    set_value(session, HANDED_OVER_FROM, former_id if same_server else None)
    detail: dict[str, Any] = {"former_device_id": former_id, "same_server": same_server, "records": moved}
    append_audit(session, device_id=device_id, actor=_ACTOR, action="sync.enrolled_anew", detail=detail)


def _owner(kind: type[Synced]) -> Any:
    return kind.device_id  # type: ignore[attr-defined]  # facts and sessions have it


def _hand_over(session: Session, kind: type[Synced], former_id: str, device_id: str, *, everything: bool) -> int:
    count = 0
    query = select(kind).where(_owner(kind) == former_id).order_by(kind.id).limit(_PAGE)
    if not everything:
        query = query.where(_is_new(kind))
    while page := session.scalars(query).all():
        for record in page:
            setattr(record, _DEVICE, device_id)
            if everything:
                record.rev = None
        session.flush()
        for record in page:
            session.expunge(record)
        count += len(page)
    return count


def _is_new(kind: type[Synced]) -> ColumnElement[bool]:
    """Return the condition that the server has not acknowledged a record."""
    return exists().where(
        OutboxEntry.entity == kind.entity,
        OutboxEntry.entity_id == kind.id,
        OutboxEntry.op == ChangeOperation.INSERT,
    )


def _entries(session: Session, former_id: str, *, everything: bool) -> list[str]:
    query = select(AuditEntry.id).where(AuditEntry.device_id == former_id).order_by(AuditEntry.sequence)
    return list(session.scalars(query if everything else query.where(_is_new(AuditEntry))))


def _as_entries_of_its_own(session: Session, entry_ids: list[str]) -> list[str]:
    """Give audit entries new ids and return these: the former station may have the same ones in its own chain."""
    renamed = {entry_id: new_id() for entry_id in entry_ids}
    waiting = select(OutboxEntry).where(OutboxEntry.entity == AuditEntry.entity)
    with remote_changes(session):
        for entry in session.scalars(select(AuditEntry).where(AuditEntry.id.in_(entry_ids))):
            entry.id = renamed[entry.id]
        for change in session.scalars(waiting):
            if change.entity_id in renamed:
                change.entity_id, change.change_id = renamed[change.entity_id], new_id()
        session.flush()
    return list(renamed.values())


def _restate_devices(session: Session, device_id: str) -> None:
    """Make the outbox say whose the records are now."""
    query = select(OutboxEntry).where(OutboxEntry.op == ChangeOperation.INSERT, OutboxEntry.entity != AuditEntry.entity)
    for entry in session.scalars(query):
        if _DEVICE in entry.fields and not issubclass(synced_types()[entry.entity], Master):
            entry.fields = {**entry.fields, _DEVICE: device_id}


def _forget_positions(session: Session, kind: type[Master]) -> None:
    """Forget positions in the former server's log: the new one's are others."""
    for record in session.scalars(select(kind)):
        record.rev = None
        record.field_clocks = {name: {**state, "rev": None} for name, state in record.field_clocks.items()}
    session.flush()


def _cut_chain(session: Session, former_id: str) -> None:
    """Let the former station's chain end where its server has it."""
    newest = select(AuditEntry).where(AuditEntry.device_id == former_id).order_by(AuditEntry.sequence.desc()).limit(1)
    last = session.scalars(newest).first()
    if last is None:
        session.execute(delete(AuditHead).where(AuditHead.device_id == former_id))
        return
    head = session.get(AuditHead, former_id)
    if head is not None:
        head.sequence, head.digest = last.sequence, last.digest


def _begin_anew(session: Session, device_id: str, server_url: str) -> None:
    branch(session)
    for key in (STORE_PARENT, STORE_MACHINE, GENERATION, FORKED_AT, REVOKED_AT, COMPARED_TO, DRIFT_CHECKED_AT):
        set_value(session, key, None)
    set_value(session, DEVICE_ID, device_id)
    set_value(session, SERVER_URL, server_url)
