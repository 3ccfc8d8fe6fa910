"""Records made by clients with ids of their own: the same request twice has one effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from models.errors import Conflict
from models.synced import Master, Synced, to_wire

RecordT = TypeVar("RecordT", bound=Synced)


def existing_record(
    session: Session, record_type: type[RecordT], record_id: str | None, content: Mapping[str, Any]
) -> RecordT | None:
    """Return the record that an earlier, equal request has made; None when the id is free.

    Args:
        session: the transaction.
        record_type: kind of record.
        record_id: the id the client gave, None when it gave none.
        content: what the client sent, as column values.

    Raises:
        Conflict: ``id-taken`` when the id belongs to a record with other content or one that was deleted.
    """
    record = session.get(record_type, record_id) if record_id else None
    if record is None:
        return None
    deleted = isinstance(record, Master) and record.deleted_at is not None
    if deleted or any(to_wire(getattr(record, name)) != to_wire(value) for name, value in content.items()):
        raise Conflict("id-taken", id=record.id)
    return record
