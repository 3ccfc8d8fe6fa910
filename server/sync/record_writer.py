"""Writing of one pushed change: a new record, a fact that came before, or a merge into the record that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import HybridLogicalClock, Stamp
from models.errors import Conflict, DoesNotFit
from models.pipelines import Pipeline
from models.sessions import InspectionSession
from models.states import ENDED, ChangeOperation
from models.sync import ChangeLogEntry
from models.synced import Fact, Master, Synced, SyncKind, row_snapshot, snapshot, synced_types, whole_row
from server.audit import AuditedChange, differences
from server.change_log.recording import ChangeMade, entry_of, scope_of
from server.masters.rules import counted_version
from server.sync.audited_fields import known_changes
from server.sync.conflicts import keep_history
from server.sync.effects import Effect, TryLater
from server.sync.ledger import Ledger
from server.sync.lookups import Lookups
from server.sync.payload_validation import clear_names
from server.sync.permissions import check_master, check_owner, check_session_change
from server.sync.record_checks import VERSION, require_insertable, require_mergeable, require_parents, valid_values
from sync.shared.merge import FieldState, field_states, merge_master, merge_owned, trusted_stamp, with_field_states
from sync.shared.problems import ENTITY_UNKNOWN, FACT_IMMUTABLE
from sync.shared.protocol import MAX_SKEW_MS, Change, Outcome

_STATUS = "status"


@dataclass(frozen=True, slots=True)
class RecordWriter:
    """Writes changes of one station within the caller's transaction.

    Every check of a change comes before its first effect: one that is refused leaves nothing behind.

    Attributes:
        session: an open transaction of a database whose recorder is ``ChangeLogRecorder``.
        clock: the server's clock.
        device_id: the station that pushes, from its token.
        wall: milliseconds since 1970.
        lookups: what is there.
        ledger: takes what is written; its owner settles it.
        types: of records, by their names on the wire.
    """

    session: Session
    clock: HybridLogicalClock
    device_id: str
    wall: Callable[[], int]
    lookups: Lookups
    ledger: Ledger
    types: dict[str, type[Synced]] = field(default_factory=synced_types)

    def write(self, change: Change) -> Effect:
        """Check a change, write it to its record and to the change log, and return what that did.

        Raises:
            TryLater: when an entity or a record is not known yet.
            UserFacingError: why the change is refused.
        """
        record_type = self.types.get(change.entity)
        if record_type is None:
            raise TryLater(DoesNotFit(ENTITY_UNKNOWN, entity=change.entity))
        names = clear_names(record_type, change.fields)
        if names:
            change = change.model_copy(update={"fields": {**change.fields, **names}})
        values, extra = valid_values(record_type, change.fields)
        present = self._present(record_type, change.entity_id)
        self._check_allowed(record_type, present, change, values)
        require_parents(record_type, present, change, values, self.lookups.has)
        if present is None:
            return self._insert(record_type, change, values, extra)
        if record_type.kind is SyncKind.FACT:
            return _repeated_fact(present, change)
        return self._merge(present, change)

    def _insert(
        self, record_type: type[Synced], change: Change, values: dict[str, Any], extra: dict[str, Any]
    ) -> Effect:
        require_insertable(self.session, record_type, change.entity_id, values)
        if record_type is Pipeline:
            values[VERSION] = counted_version(0, proposed=values.get(VERSION), changed=True)
        stamp = Stamp.parse(change.clock)
        ahead = stamp.milliseconds - self.wall()
        if record_type.kind is SyncKind.MASTER:
            stamp = self._own_stamp(change)
        elif ahead > MAX_SKEW_MS:
            extra = {**extra, "clock_ahead_ms": ahead}
        else:
            self.clock.observe(stamp)
        position = self.ledger.position()
        whole = {**values, "id": change.entity_id, "rev": position, "clock": str(stamp), "extra": extra}
        record: Synced | None = None
        if record_type.kind is SyncKind.FACT:
            row = whole_row(record_type, whole)
            self.ledger.add_fact(record_type, row)
            logged = row_snapshot(record_type, row)
        else:
            record = record_type(**whole)
            if isinstance(record, Master):
                record.field_clocks = with_field_states(
                    {}, change.fields, rev=position, clock=str(stamp), user_id=change.user_id
                )
            self.session.add(record)
            logged = snapshot(record)
        self.lookups.note(record_type, change.entity_id, record)
        self._log(position, self._scope(record, values), change, change.op, logged, str(stamp))
        audits = [self._audited(record, "created", change, {}, change.fields)] if isinstance(record, Master) else []
        return Effect(Outcome.APPLIED, position, audits=tuple(audits))

    def _audited(
        self, record: Master, done: str, change: Change, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> AuditedChange:
        who = self.lookups.acting(change.user_id)
        known, unknown = known_changes(type(record), differences(before, after))
        return AuditedChange(who, f"{record.entity}.{done}", record.entity, record.id, known, unknown)

    def _present(self, record_type: type[Synced], record_id: str) -> Synced | None:
        if self.ledger.holds(record_type, record_id):
            self.ledger.settle()
        return self.lookups.record(record_type, record_id)

    def _check_allowed(
        self, record_type: type[Synced], present: Synced | None, change: Change, values: Mapping[str, Any]
    ) -> None:
        if record_type.kind is SyncKind.MASTER:
            check_master(self.session, record_type, present, change, self.device_id)
            return
        part_id = values.get("session_id") if issubclass(record_type, Fact) else None
        part = self.lookups.part(part_id) if part_id else None
        check_owner(present, values, part, self.device_id, self.lookups.former_id())

    def _merge(self, present: Synced, change: Change) -> Effect:
        now = snapshot(present)
        stamp = change.clock
        newer: frozenset[str] = frozenset()
        states: dict[str, FieldState] = {}
        if isinstance(present, Master):
            stamp, states = str(self._own_stamp(change)), field_states(present.field_clocks)
            merge = merge_master(now, states, _merged_fields(change), base_rev=change.base_rev, clock=stamp)
        else:
            newer = self._newer_fields(present, change)
            merge = merge_owned(now, change.fields, newer_fields=newer)
        values, extra = valid_values(type(present), merge.taken)
        audits: list[AuditedChange] = []
        if isinstance(present, InspectionSession) and _STATUS not in newer:
            audits += self._checked_correction(present, values, change)
        version = require_mergeable(self.session, present, values, change)
        position = self.ledger.position()
        for name, value in values.items():
            setattr(present, name, value)
        if extra:
            present.extra = {**present.extra, **extra}
        present.rev = position
        present.clock = max(present.clock, stamp)
        if isinstance(present, Master):
            present.field_clocks = with_field_states(
                present.field_clocks, merge.taken, rev=position, clock=stamp, user_id=change.user_id
            )
        deleted = merge.taken.get("deleted_at") is not None
        if isinstance(present, Master) and merge.taken:
            audits.append(self._audited(present, "deleted" if deleted else "changed", change, now, merge.taken))
        operation = ChangeOperation.DELETE if deleted else ChangeOperation.UPDATE
        logged = {**merge.restated, **merge.taken}
        if isinstance(present, Pipeline) and VERSION in change.fields:
            logged[VERSION] = present.version
        self._log(position, self._scope(present, values), change, operation, logged, stamp)
        lost = keep_history(self.session, change, merge, states)
        return Effect(merge.outcome, position, lost, version, tuple(audits))

    def _own_stamp(self, change: Change) -> Stamp:
        """Return the stamp a master is merged by: in the name of the station that pushes, whatever name it gives.

        Edits from before the enrolment carry no station's id yet, and another station's id would hide a conflict.
        """
        stamp = Stamp.parse(change.clock)
        own = Stamp(stamp.milliseconds, stamp.counter, self.device_id)
        return trusted_stamp(own, self.clock, self.wall())

    def _checked_correction(
        self, present: InspectionSession, values: Mapping[str, Any], change: Change
    ) -> list[AuditedChange]:
        """Ask the rules of sessions; return what is corrected after the end, old and new.

        A change that was made before the one that ended the session is none after its end, however late it comes.
        """
        differing = {name: value for name, value in values.items() if value != getattr(present, name)}
        who = self.lookups.acting(change.user_id)
        if present.device_id == self.lookups.former_id():
            who = replace(who, device_id=present.device_id)
        check_session_change(present, differing, who)
        if not differing or present.status not in ENDED:
            return []
        before = {name: getattr(present, name) for name in differing}
        changes = differences(before, differing)
        return [AuditedChange(who, "session.corrected", present.entity, present.id, changes)]

    def _newer_fields(self, present: Synced, change: Change) -> frozenset[str]:
        """Return the fields that newer changes of a session have set; only a change that comes late needs the log."""
        if change.clock >= present.clock:
            return frozenset()
        self.ledger.settle()
        query = select(ChangeLogEntry.fields).where(
            ChangeLogEntry.entity == present.entity,
            ChangeLogEntry.entity_id == present.id,
            ChangeLogEntry.clock > change.clock,
        )
        return frozenset(name for fields in self.session.scalars(query) for name in fields)

    def _scope(self, record: Synced | None, values: Mapping[str, Any]) -> str | None:
        """Return the only station that may read a change, None when all may: of a part it is the part's owner.

        Args:
            record: the master or session; None for a fact.
            values: column → value, of a fact.
        """
        if isinstance(record, Master):
            return scope_of(self.session, record)
        if isinstance(record, InspectionSession):
            return record.device_id
        part = self.lookups.part(values["session_id"]) if values.get("session_id") else None
        return part.device_id if part is not None else self.device_id

    def _log(
        self,
        position: int,
        scope: str | None,
        change: Change,
        operation: ChangeOperation,
        fields: dict[str, Any],
        clock: str,
    ) -> None:
        made = ChangeMade(change.change_id, operation, fields, clock, self.device_id)
        self.ledger.add_entry(entry_of(position, (change.entity, change.entity_id), made, scope))


def _repeated_fact(present: Synced, change: Change) -> Effect:
    now = snapshot(present)
    if any(now.get(name) != value for name, value in change.fields.items()):
        raise Conflict(FACT_IMMUTABLE, entity=change.entity)
    return Effect(Outcome.DUPLICATE, present.rev)


def _merged_fields(change: Change) -> dict[str, Any]:
    """Return the fields of a master that are merged; the version of a pipeline is counted here instead."""
    if change.entity != Pipeline.entity:
        return change.fields
    return {name: value for name, value in change.fields.items() if name != VERSION}
