"""What the store holds of the records that a run of changes is of or names: read at once, not one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, bindparam, exists, select
from sqlalchemy.orm import Session

from models.devices import Device
from models.ids import canonical_id
from models.sessions import InspectionSession
from models.sync import AppliedChange
from models.synced import Synced
from models.users import User
from server.auth.identity.principal import Principal
from server.sync.permissions import acting_user
from sync.shared.protocol import Change
from sync.shared.records import foreign_keys, table_of


class Applied(NamedTuple):
    """A change that was applied before: whose it was, and at which position of the log."""

    device_id: str
    rev: int | None


@dataclass(slots=True)
class Lookups:
    """Answers from memory what it was told to expect, anything else from the store.

    Attributes:
        session: the transaction; nobody else changes these records while it is open.
        device_id: the station that pushes.
    """

    session: Session
    device_id: str
    _applied: dict[str, Applied | None] = field(default_factory=dict)
    _there: dict[str, dict[str, bool]] = field(default_factory=lambda: defaultdict(dict))
    _parts: dict[str, InspectionSession] = field(default_factory=dict)
    _acting: dict[str | None, Principal] = field(default_factory=dict)
    _former: str | None = None
    _successors: dict[str, bool] = field(default_factory=dict)

    def expect(self, changes: Iterable[Change], types: dict[str, type[Synced]]) -> None:
        """Read what is known of the changes and of every record that they are of or name, one query a table."""
        wanted: dict[Table, set[str]] = defaultdict(set)
        for change in changes:
            self._applied[change.change_id] = None
            record_type = types.get(change.entity)
            if record_type is None:
                continue
            wanted[table_of(record_type)].add(change.entity_id)
            for name, key in foreign_keys(record_type):
                named = change.fields.get(name)
                if isinstance(named, str):
                    wanted[key.table].add(canonical_id(named))
        connection = self.session.connection()
        for row in connection.execute(_APPLIED.where(AppliedChange.change_id.in_(list(self._applied)))):
            self._applied[row.change_id] = Applied(row.device_id, row.rev)
        parts = wanted.pop(table_of(InspectionSession), set())
        for part in self.session.scalars(select(InspectionSession).where(InspectionSession.id.in_(parts))):
            self._parts[part.id] = part
        self._note(table_of(InspectionSession), parts, self._parts)
        for table, ids in wanted.items():
            self._note(table, ids, connection.scalars(select(table.c.id).where(table.c.id.in_(ids))))

    def applied(self, change_id: str) -> Applied | None:
        """Return the device and position of a change that was applied before, None when it was not."""
        if change_id not in self._applied:
            row = self.session.connection().execute(_APPLIED.where(AppliedChange.change_id == change_id)).one_or_none()
            self._applied[change_id] = None if row is None else Applied(row.device_id, row.rev)
        return self._applied[change_id]

    def note_applied(self, change_id: str, device_id: str, rev: int | None) -> None:
        """Learn of a change that has been applied."""
        self._applied[change_id] = Applied(device_id, rev)

    def record(self, record_type: type[Synced], record_id: str) -> Synced | None:
        """Return a record, None when it is not there."""
        if self._there[table_of(record_type).name].get(record_id) is False:
            return None
        if record_type is InspectionSession and record_id in self._parts:
            return self._parts[record_id]
        return self.session.get(record_type, record_id)

    def has(self, key: Column[Any], record_id: str) -> bool:
        """Return whether a record is there whose id is in the column ``key``."""
        known = self._there[key.table.name]
        if record_id not in known:
            known[record_id] = bool(self.session.scalar(select(exists().where(key == record_id))))
        return known[record_id]

    def part(self, part_id: str) -> InspectionSession | None:
        """Return the session of a part, None when it is not there."""
        found = self.record(InspectionSession, part_id)
        return found if isinstance(found, InspectionSession) else None

    def acting(self, user_id: str | None) -> Principal:
        """Return the user that a change names, when the user has signed in at the station; else the station itself."""
        if user_id not in self._acting:
            user = self.session.get(User, user_id) if user_id else None
            self._acting[user_id] = acting_user(self.session, user, self.device_id)
        return self._acting[user_id]

    def former_id(self) -> str | None:
        """Return the station of whose store that of the station is a copy, None for most."""
        if self._former is None:
            self._former = self.session.scalar(_FORMER, {"device_id": self.device_id}) or ""
        return self._former or None

    def is_successor(self, device_id: str) -> bool:
        """Return whether a station was made of a copy of this one's store."""
        if device_id == self.device_id:
            return False
        if device_id not in self._successors:
            former = self.session.scalar(_FORMER, {"device_id": device_id})
            self._successors[device_id] = former == self.device_id
        return self._successors[device_id]

    def note(self, record_type: type[Synced], record_id: str, record: Synced | None = None) -> None:
        """Learn of a record that was made; ``record`` is given when the store does not have it yet."""
        self._there[table_of(record_type).name][record_id] = True
        if isinstance(record, InspectionSession):
            self._parts[record_id] = record

    def _note(self, table: Table, wanted: Iterable[str], found: Iterable[str]) -> None:
        present = set(found)
        self._there[table.name].update((one, one in present) for one in wanted)


_FORMER = select(Device.succeeds_id).where(Device.id == bindparam("device_id"))
_APPLIED = select(AppliedChange.change_id, AppliedChange.device_id, AppliedChange.rev)
