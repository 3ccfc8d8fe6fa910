"""Sending of refused changes again, as they are or mended; nothing goes by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.database import Database
from models.ids import new_id
from models.sessions import ImageRecord
from models.states import OutboxState
from models.sync import Blob, OutboxEntry
from models.synced import Master
from models.tracking import remote_changes
from sync.station.dead_letters import dead_entry, record_of
from sync.station.mending import mended_values

_PAGE = 200


def resend(
    database: Database,
    change_id: str,
    fields: Mapping[str, Any] | None = None,
    *,
    actor: str,
    device_id: str,
    user_id: str | None = None,
) -> str:
    """Put a refused change back in its place in the outbox, with some fields mended, and return its new change id.

    Args:
        database: the station's.
        change_id: of the refused change.
        fields: wire fields with their right values; the record here gets them too. Facts cannot be mended.
        actor: name of the person, for the audit trail.
        device_id: this station.
        user_id: who answers for a master's change from now on; None leaves it to who made it.

    Raises:
        NotFound: ``dead-letter-unknown``.
        InvalidInput: as ``mended_values``.
    """
    with database.transaction() as session:
        entry = dead_entry(session, change_id)
        if fields:
            _mend(session, entry, fields)
        _put_back(session, entry, user_id)
        append_audit(
            session,
            device_id=device_id,
            actor=actor,
            action="sync.dead-letter-resent",
            subject=entry.entity,
            subject_id=entry.entity_id,
            detail={"change_id": change_id, "new_change_id": entry.change_id, "mended": sorted(fields or {})},
        )
        return entry.change_id


def resend_all(
    database: Database, code: str | None = None, *, actor: str, device_id: str, user_id: str | None = None
) -> int:
    """Put all refused changes back into the outbox as they are and return how many: their cause has gone.

    Args:
        database: the station's.
        code: only those refused for this reason.
        actor: name of the person, for the audit trail.
        device_id: this station.
        user_id: who answers for the changes of masters from now on; None leaves them to who made them.
    """
    query = select(OutboxEntry).where(OutboxEntry.state == OutboxState.DEAD).order_by(OutboxEntry.sequence)
    if code is not None:
        query = query.where(OutboxEntry.last_error == code)
    count = 0
    while True:
        with database.transaction() as session:
            page = list(session.scalars(query.limit(_PAGE)))
            if not page:
                return count
            for entry in page:
                _put_back(session, entry, user_id)
            append_audit(
                session,
                device_id=device_id,
                actor=actor,
                action="sync.dead-letters-resent",
                subject="outbox",
                subject_id=page[0].change_id,
                detail={"code": code, "new_change_ids": [entry.change_id for entry in page]},
            )
        count += len(page)


def _put_back(session: Session, entry: OutboxEntry, user_id: str | None) -> None:
    """Let a refused change wait again, under a new id."""
    entry.change_id = new_id()
    entry.state = OutboxState.WAITING
    entry.problem = None
    _announce_files_again(session, entry)
    if user_id is not None and isinstance(record_of(session, entry), Master):
        entry.user_id = user_id


def _announce_files_again(session: Session, entry: OutboxEntry) -> None:
    """Ask the server again for the files that a change names: it does not keep for ever what no record names."""
    of_part = or_(ImageRecord.id == entry.entity_id, ImageRecord.session_id == entry.entity_id)
    named = [*session.scalars(select(ImageRecord.sha256).where(of_part)), str(entry.fields.get("sha256", ""))]
    session.execute(update(Blob).where(Blob.present, Blob.sha256.in_(named)).values(uploaded_at=None))


def _mend(session: Session, entry: OutboxEntry, fields: Mapping[str, Any]) -> None:
    record = record_of(session, entry)
    values = mended_values(session, record, fields, within=entry.fields)
    with remote_changes(session):
        for name, value in values.items():
            if not _changed_later(session, entry, name):
                setattr(record, name, value)
    entry.fields = {**entry.fields, **fields}


def _changed_later(session: Session, entry: OutboxEntry, name: str) -> bool:
    query = select(OutboxEntry.fields).where(
        OutboxEntry.entity_id == entry.entity_id,
        OutboxEntry.entity == entry.entity,
        OutboxEntry.sequence > entry.sequence,
    )
    return any(name in later for later in session.scalars(query))
