"""Records by their ids."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy.orm import Session

from models.errors import NotFound

RecordT = TypeVar("RecordT")


def require_record(
    session: Session, record_type: type[RecordT], record_id: str, unknown: str, *, locked: bool = False
) -> RecordT:
    """Return a record that a client names.

    Args:
        session: the transaction.
        record_type: kind of record.
        record_id: of the record.
        unknown: code of the refusal.
        locked: whether no other transaction may change it until this one ends.

    Raises:
        NotFound: ``unknown``.
    """
    record = session.get(record_type, record_id, with_for_update=locked)
    if record is None:
        raise NotFound(unknown)
    return record
