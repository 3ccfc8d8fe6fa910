"""Gives a refused change up on a person's word, with everything that could never go without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import append_audit
from models.clock import rfc3339, utc_now
from models.database import Database
from models.errors import Conflict
from models.sessions import InspectionSession
from models.states import OPEN, ChangeOperation, SessionStatus
from models.sync import OutboxEntry
from models.synced import Master, synced_types
from models.tracking import remote_changes
from sync.shared.problems import FACT_IMMUTABLE
from sync.shared.records import foreign_keys, table_of
from sync.station.dead_letters import dead_entry, record_of
from sync.station.given_up import DROPPED
from sync.station.state import GIVEN_UP_AT, forget_position, set_value

_MOST_NAMED = 500
"""Records that one query names."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What goes with a refused change that is given up.

    Attributes:
        changes: further changes that wait, or were refused, and that the server could never take without it.
        records: further records that these would have made, by kind.
    """

    changes: int
    records: dict[str, int]


def consequences(session: Session, change_id: str) -> Consequences:
    """Return what would go with a refused change.

    Raises:
        NotFound: ``dead-letter-unknown``.
    """
    return _consequences(_following(session, dead_entry(session, change_id)))


def drop(
    database: Database,
    change_id: str,
    *,
    actor: str,
    device_id: str,
    reason: str,
    agreed: Consequences | None = None,
) -> Consequences:
    """Give a refused change up, on a person's word, and return what went with it; all stays in the audit trail.

    Where it would have made a record, the record's later changes and all that names the record go too, each with an
    audit entry of its own: the server would refuse them for ever. Facts and parts stay in this store; a part that is
    open is cancelled, and masters are marked deleted. The next pass takes the snapshot, so that fields the changes
    kept from being updated come to the server's values.

    Args:
        database: the station's.
        change_id: of the refused change.
        actor: name of the person, for the audit trail.
        device_id: this station.
        reason: why, for the audit trail.
        agreed: what the person was shown that goes with it; None where nobody was asked.

    Raises:
        NotFound: ``dead-letter-unknown``.
        Conflict: ``dead-letter-more-waits`` when something else goes with it than the person was shown.
    """
    with database.transaction() as session:
        entry = dead_entry(session, change_id)
        following = _following(session, entry)
        goes = _consequences(following)
        if agreed is not None and agreed != goes:
            raise Conflict("dead-letter-more-waits", changes=goes.changes)
        for one in (entry, *following):
            detail: dict[str, Any] = {"change_id": one.change_id, "reason": reason, "code": one.last_error}
            detail |= {"op": one.op.value, "fields": one.fields}
            if one is not entry:
                detail["with"] = change_id
            append_audit(
                session,
                device_id=device_id,
                actor=actor,
                action=DROPPED,
                subject=one.entity,
                subject_id=one.entity_id,
                detail=detail,
            )
        with remote_changes(session):
            for one in (entry, *following):
                _close(session, one)
                session.delete(one)
        set_value(session, GIVEN_UP_AT, rfc3339(utc_now()))
        forget_position(session)
    return goes


def _close(session: Session, entry: OutboxEntry) -> None:
    """Let nobody go on with a record that the server will never have."""
    record = record_of(session, entry)
    if record is None or entry.op is not ChangeOperation.INSERT or record.rev is not None:
        return
    if isinstance(record, Master):
        record.deleted_at = utc_now()
    elif isinstance(record, InspectionSession) and record.status in OPEN:
        record.status = SessionStatus.CANCELLED


def _consequences(following: list[OutboxEntry]) -> Consequences:
    made = Counter(one.entity for one in following if one.op is ChangeOperation.INSERT)
    return Consequences(len(following), dict(sorted(made.items())))


def _following(session: Session, entry: OutboxEntry) -> list[OutboxEntry]:
    """Return the other changes that the server would refuse for ever without ``entry``, in their order."""
    record = record_of(session, entry)
    is_there = entry.last_error == FACT_IMMUTABLE or (record is not None and record.rev is not None)
    if entry.op is not ChangeOperation.INSERT or is_there:
        return []
    found: dict[int, OutboxEntry] = {}
    level = [entry]
    while level:
        new = [*_later_of(session, level), *_naming(session, level)]
        added = {one.sequence: one for one in new if one.sequence not in found and one is not entry}
        found |= added
        level = [one for one in added.values() if one.op is ChangeOperation.INSERT]
    return [found[sequence] for sequence in sorted(found)]


def _later_of(session: Session, made: list[OutboxEntry]) -> Iterable[OutboxEntry]:
    """Yield every entry of the records that ``made`` would have made."""
    for ids in _in_pages([one.entity_id for one in made]):
        yield from session.scalars(select(OutboxEntry).where(OutboxEntry.entity_id.in_(ids)))


def _naming(session: Session, made: list[OutboxEntry]) -> Iterable[OutboxEntry]:
    """Yield the entries that name, in a field, a record that ``made`` would have made."""
    tables = {table_of(kind): [one.entity_id for one in made if one.entity == name] for name, kind in _kinds()}
    for name, kind in _kinds():
        for field, key in foreign_keys(kind):
            named = OutboxEntry.fields[field].as_string()
            for ids in _in_pages(tables.get(key.table, [])):
                yield from session.scalars(select(OutboxEntry).where(OutboxEntry.entity == name, named.in_(ids)))


def _kinds() -> Iterable[tuple[str, type]]:
    return synced_types().items()


def _in_pages(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _MOST_NAMED] for start in range(0, len(ids), _MOST_NAMED))
