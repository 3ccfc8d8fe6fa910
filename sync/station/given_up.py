"""Records that a person has given up before the server had them: they stay here and wait for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.errors import Conflict
from models.sessions import ImageRecord
from models.states import ChangeOperation
from models.sync import Blob
from models.synced import Synced, synced_types
from models.tracking import RecordedChange
from sync.shared.records import foreign_keys
from sync.station.state import GIVEN_UP_AT, get_value

DROPPED = "sync.dead-letter-dropped"
"""Action of the audit entry of each change that was given up."""


def given_up(kind: type[Synced]) -> ColumnElement[bool]:
    """Return the condition that the server has never taken a record and a person has given it up."""
    dropped = select(AuditEntry.subject_id).where(
        AuditEntry.action == DROPPED,
        AuditEntry.subject == kind.entity,
        AuditEntry.detail["op"].as_string() == ChangeOperation.INSERT.value,
    )
    return and_(kind.rev.is_(None), kind.id.in_(dropped))


def given_up_file() -> ColumnElement[bool]:
    """Return the condition that a blob is named by images that were given up, and by no other one.

    A server removes what none of its records names: that it lacks such a file is no difference.
    """
    names = ImageRecord.sha256 == Blob.sha256
    return and_(exists().where(names, given_up(ImageRecord)), ~exists().where(names, ~given_up(ImageRecord)))


def require_kept(session: Session, changes: Sequence[RecordedChange]) -> None:
    """Check that no change is of a record that was given up, or names one: the server could never take it.

    Raises:
        Conflict: ``record-given-up``.
    """
    if get_value(session, GIVEN_UP_AT) is None:
        return
    for change in changes:
        for kind, record_id in _named(change):
            if session.scalar(select(exists().where(kind.id == record_id, given_up(kind)))):
                raise Conflict("record-given-up", entity=kind.entity, id=record_id)


def _named(change: RecordedChange) -> Iterator[tuple[type[Synced], str]]:
    """Yield the record of a change, unless it is new, and the records that the change names."""
    if change.operation is not ChangeOperation.INSERT:
        yield type(change.record), change.record.id
    by_table = {kind.__tablename__: kind for kind in synced_types().values()}  # type: ignore[attr-defined]  # of each
    for name, key in foreign_keys(type(change.record)):
        named = change.fields.get(name)
        if named is not None:
            yield by_table[key.table.name], str(named)
