"""Puts into the outbox again what a server that went back has lost of masters.

What users of this station changed goes as their edits. What came from elsewhere goes without a user: the server applies
it once an administrator has looked at it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy.orm import Session

from models.clock import Stamp
from models.states import ChangeOperation
from models.sync import OutboxEntry
from models.synced import Master, snapshot
from sync.shared.protocol import HeldRecord, StaleMaster
from sync.station.outbox import waiting_fields

_LABELS = ("code", "username", "name")
_WHEN = len("0000000000000-0000")


def held_master(record: Master, device_id: str) -> HeldRecord:
    """Return a master as the server is asked about it."""
    foreign = [state.get("clock", "") for state in record.field_clocks.values() if _author(state, device_id) is None]
    label = next((str(text) for name in _LABELS if (text := getattr(record, name, None))), "")
    return HeldRecord(
        entity=record.entity,
        entity_id=record.id,
        clock=record.clock,
        label=label[:255],
        foreign_clock=max(foreign, default="" if record.field_clocks else record.clock),
    )


def offer(session: Session, record: Master, stale: StaleMaster, device_id: str) -> int:
    """Add what the server lacks of a master to the outbox and return the number of changes.

    Args:
        session: the caller's transaction, in a block of ``remote_changes``.
        record: as it is here.
        stale: as it is on the server.
        device_id: this station.
    """
    if stale.rev is None and not stale.clock:
        fields = snapshot(record)
        session.add(_entry(record, ChangeOperation.INSERT, fields, record.clock, _maker(record, device_id), None))
        return 1
    # A field with a change that waits, or was refused, goes with that one: the record may hold a stand-in of its value.
    waiting = waiting_fields(session, record.entity, record.id)
    wire = {name: value for name, value in snapshot(record).items() if name not in waiting}
    groups: dict[tuple[str, str | None], dict[str, Any]] = defaultdict(dict)
    for name, state in record.field_clocks.items():
        clock, author = state.get("clock", ""), _author(state, device_id)
        newer = clock[:_WHEN] > stale.field_clocks.get(name, "")[:_WHEN] and wire.get(name) != stale.fields.get(name)
        # What others changed is offered where the server has nothing newer of the record; edits of our own always go.
        if name in wire and newer and (author is not None or clock[:_WHEN] > stale.clock[:_WHEN]):
            groups[clock, author][name] = wire[name]
    for (clock, author), fields in sorted(groups.items(), key=lambda group: group[0][0]):
        deleted = fields.get("deleted_at") is not None
        operation = ChangeOperation.DELETE if deleted else ChangeOperation.UPDATE
        session.add(_entry(record, operation, fields, clock, author, stale.rev))
    return len(groups)


def _maker(record: Master, device_id: str) -> str | None:
    """Return the user of this station who set the newest field of a record that was made here alone, else None."""
    states = sorted(record.field_clocks.values(), key=lambda state: str(state.get("clock", "")))
    authors = [_author(state, device_id) for state in states]
    return authors[-1] if authors and None not in authors else None


def _author(state: dict[str, Any], device_id: str) -> str | None:
    """Return the user of this station who set a field, None when it was set elsewhere or nobody knows."""
    clock = state.get("clock") or ""
    user = state.get("user")
    return user if isinstance(user, str) and clock and Stamp.parse(clock).device == device_id else None


def _entry(
    record: Master,
    operation: ChangeOperation,
    fields: dict[str, Any],
    clock: str,
    author: str | None,
    base_rev: int | None,
) -> OutboxEntry:
    return OutboxEntry(
        entity=record.entity,
        entity_id=record.id,
        op=operation,
        base_rev=base_rev,
        fields=fields,
        clock=clock,
        user_id=author,
    )
