"""Applying of pushed changes: each at most once, in order, merged and checked by the rules of ``server.masters``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from models.clock import HybridLogicalClock, Stamp, wall_milliseconds
from models.database import Database
from models.errors import Conflict, DoesNotFit, InvalidInput, UserFacingError
from models.messages import LocalText
from models.pipelines import Pipeline
from models.rejections import first_problem, of_field, reason_in
from models.sessions import InspectionSession
from models.states import ChangeOperation
from models.sync import AppliedChange, ChangeLogEntry
from models.synced import Master, Synced, SyncKind, snapshot, split_fields, synced_types
from models.tracking import remote_changes
from models.users import User
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.change_log.cursor import encode
from server.change_log.recording import ChangeMade, add_entry, allocate, head
from server.masters.rules import (
    column_values,
    counted_version,
    delete_along,
    require_deletable,
    require_valid,
)
from server.sessions.rules import ENDED
from server.sync.conflicts import earlier_conflicts, keep_history
from server.sync.payload_validation import require_storable, require_valid_payload, with_clear_names
from server.sync.permissions import IdentityRefused, check_allowed, check_session_change
from server.users.rules import require_free_username, settle_access
from sync.shared.merge import field_states, merge_master, merge_owned, trusted_stamp, with_field_states
from sync.shared.problems import ENTITY_UNKNOWN, HELD_BACK, MISSING_PARENT, change_problem
from sync.shared.protocol import MAX_SKEW_MS, Change, ChangeResult, FieldConflict, Outcome, PushAnswer
from sync.shared.records import holder_of, lacking, missing_parent, unique_columns

# The write lock of an embedded store is let go of in between, so that other requests never wait for a whole batch.
_TRANSACTION_CHANGES = 100
_LONGEST_ID = 64
_VERSION = "version"
_NAMING = frozenset({"username", "deleted_at"})
"""Fields with which a user may come to have a name."""
_STATUS = "status"
_NO_ID = "00000000-0000-0000-0000-000000000000"


class _TryLater(Exception):
    """The change is refused now and may be sent again as it is."""

    def __init__(self, error: UserFacingError) -> None:
        self.error = error
        super().__init__(error.code)


@dataclass(frozen=True, slots=True)
class _Effect:
    """What applying a change did.

    Attributes:
        version: what a pipeline's version becomes by it, None where it stays.
    """

    outcome: Outcome
    rev: int | None
    conflicts: tuple[FieldConflict, ...] = ()
    version: int | None = None


def apply_batch(
    database: Database,
    clock: HybridLogicalClock,
    device_id: str,
    changes: Sequence[Mapping[str, Any]],
    *,
    language: str = "en",
    wall: Callable[[], int] = wall_milliseconds,
) -> PushAnswer:
    """Apply a batch in transactions of its own and return the answer; see ``BatchApplier``.

    A server that ends half-way has applied the first part of the batch, each change of it whole and remembered: sent
    again, those are duplicates and the others follow.
    """
    results: list[ChangeResult] = []
    held: set[str] = set()
    for start in range(0, len(changes), _TRANSACTION_CHANGES):
        with database.transaction(large=True) as session:
            applier = BatchApplier(session, clock, device_id, language, wall, held)
            results += applier.apply(changes[start : start + _TRANSACTION_CHANGES])
    with database.read() as session:
        cursor = encode(session, head(session))
    return PushAnswer(results=results, cursor=cursor)


@dataclass(slots=True)
class BatchApplier:
    """Applies changes of one batch within the caller's transaction.

    Attributes:
        session: an open transaction of a database whose recorder is ``ChangeLogRecorder``.
        clock: the server's clock.
        device_id: the station that pushes, from its token.
        language: of the problem texts.
        wall: milliseconds since 1970.
        held: ids of records of which a change was refused; later ones of the same batch are not applied either.
    """

    session: Session
    clock: HybridLogicalClock
    device_id: str
    language: str = "en"
    wall: Callable[[], int] = wall_milliseconds
    held: set[str] = field(default_factory=set)
    _foreign: list[tuple[Mapping[str, Any], UserFacingError]] = field(default_factory=list)
    _corrections: list[tuple[Principal, str, dict[str, Any]]] = field(default_factory=list)
    _types: dict[str, type[Synced]] = field(default_factory=synced_types)

    def apply(self, changes: Sequence[Mapping[str, Any]]) -> list[ChangeResult]:
        """Apply the changes in their order and return one result each."""
        results = [self._answer(raw) for raw in changes]
        # At the end: an audit entry keeps the chain's head locked until the transaction ends.
        for raw, error in self._foreign:
            self._audit(raw, error)
        self._foreign.clear()
        for who, session_id, changed in self._corrections:
            audited(self.session, who, "session.corrected", "inspection_session", session_id, changes=changed)
        self._corrections.clear()
        return results

    def _answer(self, raw: Mapping[str, Any]) -> ChangeResult:
        change_id = _safe_text(raw.get("change_id", _NO_ID))
        entity_id = _safe_text(raw.get("entity_id", ""))
        if entity_id in self.held:
            return self._refused(change_id, Conflict(HELD_BACK), retry=True)
        corrections = len(self._corrections)
        try:
            require_storable(raw)
            change = Change.model_validate(raw)
            with self.session.begin_nested():
                effect = self._once(change)
        except ValidationError as error:
            refusal = self._refused(change_id, InvalidInput("sync-change-invalid", reason=first_problem(error).text))
        except _TryLater as later:
            refusal = self._refused(change_id, later.error, retry=True)
        except IdentityRefused as error:
            self._foreign.append((raw, error))
            refusal = self._refused(change_id, error)
        except UserFacingError as error:
            refusal = self._refused(change_id, error)
        except IntegrityError:
            # What the checks before did not foresee: two rules of the schema at once. The savepoint is rolled back.
            refusal = self._refused(change_id, Conflict("sync-not-consistent", entity=str(raw.get("entity", ""))))
        except DataError:
            refusal = self._refused(
                change_id, InvalidInput("sync-change-invalid", reason=LocalText.of("value-int-parsing-size", {}))
            )
        else:
            return ChangeResult(
                change_id=change_id, outcome=effect.outcome, rev=effect.rev, conflicts=list(effect.conflicts)
            )
        del self._corrections[corrections:]
        if entity_id:
            self.held.add(entity_id)
        return refusal

    def _refused(self, change_id: str, error: UserFacingError, *, retry: bool = False) -> ChangeResult:
        problem = change_problem(error, self.language, retry=retry)
        return ChangeResult(change_id=change_id, outcome=Outcome.REJECTED, problem=problem)

    def _audit(self, raw: Mapping[str, Any], error: UserFacingError) -> None:
        audited(
            self.session,
            Principal.of_device(self.device_id),
            "sync.refused",
            str(raw.get("entity", ""))[:64],
            str(raw.get("entity_id", ""))[:64],
            change_id=str(raw.get("change_id", ""))[:64],
            reason=error.code,
        )
        self.session.flush()

    def _once(self, change: Change) -> _Effect:
        before = self.session.get(AppliedChange, change.change_id)
        if before is not None:
            if before.device_id != self.device_id:
                raise IdentityRefused("sync-other-device")
            return _Effect(Outcome.DUPLICATE, before.rev, earlier_conflicts(self.session, change, self.device_id))
        with remote_changes(self.session):
            effect = self._effect(change)
            self.session.add(
                AppliedChange(
                    change_id=change.change_id,
                    device_id=self.device_id,
                    outcome=effect.outcome.value,
                    rev=effect.rev,
                )
            )
        self._complete(change, effect)
        return effect

    def _complete(self, change: Change, effect: _Effect) -> None:
        """Make the changes that follow from one by the rules of masters; the log has them as the server's own."""
        record = self.session.get(self._types[change.entity], change.entity_id)
        if isinstance(record, Pipeline) and effect.version is not None:
            record.version = effect.version
        if isinstance(record, Master):
            delete_along(self.session, record)
            self.session.flush()
        if isinstance(record, User):
            settle_access(self.session, Principal.of_device(self.device_id), record, change.fields.keys())

    def _effect(self, change: Change) -> _Effect:
        record_type = self._types.get(change.entity)
        if record_type is None:
            raise _TryLater(DoesNotFit(ENTITY_UNKNOWN, entity=change.entity))
        change = change.model_copy(update={"fields": with_clear_names(record_type, change.fields)})
        values, extra = self._values(record_type, change.fields)
        present = self.session.get(record_type, change.entity_id)
        check_allowed(self.session, record_type, present, change, values, self.device_id)
        if present is None and change.op is not ChangeOperation.INSERT:
            raise _TryLater(Conflict(MISSING_PARENT, field="id", parent=change.entity_id))
        parent = missing_parent(self.session, record_type, values)
        if parent is not None:
            raise _TryLater(Conflict(MISSING_PARENT, field=parent.field, parent=parent.id))
        if present is None:
            return self._insert(record_type, change, values, extra)
        if record_type.kind is SyncKind.FACT:
            return self._repeated_fact(present, change)
        return self._merge(present, change)

    def _values(self, record_type: type[Synced], fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            values, extra = split_fields(record_type, fields)
        except ValueError as error:
            raise InvalidInput("sync-change-invalid", reason=reason_in(error)) from error
        require_valid_payload(record_type, values)
        return values, extra

    def _insert(
        self, record_type: type[Synced], change: Change, values: dict[str, Any], extra: dict[str, Any]
    ) -> _Effect:
        missing = lacking(record_type, {"id": change.entity_id, **values})
        if missing:
            raise InvalidInput("sync-change-invalid", reason=of_field(", ".join(missing), "value-missing").reason)
        self._check_unique(record_type, change.entity_id, values)
        self._require_valid(record_type, {"id": change.entity_id, **values}, values.keys())
        if record_type is Pipeline:
            values["version"] = counted_version(0, proposed=values.get("version"), changed=True)
        stamp = Stamp.parse(change.clock)
        ahead = stamp.milliseconds - self.wall()
        if record_type.kind is SyncKind.MASTER:
            stamp = self._own_stamp(change)
        elif ahead > MAX_SKEW_MS:
            extra = {**extra, "clock_ahead_ms": ahead}
        else:
            self.clock.observe(stamp)
        position = allocate(self.session)
        record = record_type(id=change.entity_id, rev=position, clock=str(stamp), extra=extra, **values)
        if isinstance(record, Master):
            record.field_clocks = with_field_states({}, change.fields, rev=position, clock=str(stamp))
        self.session.add(record)
        self._log(position, record, change, change.op, snapshot(record), str(stamp))
        return _Effect(Outcome.APPLIED, position)

    def _own_stamp(self, change: Change) -> Stamp:
        """Return the stamp a master is merged by: in the name of the station that pushes, whatever name it gives.

        Edits from before the enrolment carry no station's id yet, and another station's id would hide a conflict.
        """
        stamp = Stamp.parse(change.clock)
        own = Stamp(stamp.milliseconds, stamp.counter, self.device_id)
        return trusted_stamp(own, self.clock, self.wall())

    def _repeated_fact(self, present: Synced, change: Change) -> _Effect:
        now = snapshot(present)
        if any(now.get(name) != value for name, value in change.fields.items()):
            raise Conflict("sync-fact-immutable", entity=change.entity)
        return _Effect(Outcome.DUPLICATE, present.rev)

    def _merge(self, present: Synced, change: Change) -> _Effect:
        now = snapshot(present)
        stamp = change.clock
        if isinstance(present, Master):
            stamp = str(self._own_stamp(change))
            newer: frozenset[str] = frozenset()
            merge = merge_master(
                now, field_states(present.field_clocks), _merged_fields(change), base_rev=change.base_rev, clock=stamp
            )
        else:
            newer = self._newer_fields(present, change)
            merge = merge_owned(now, change.fields, newer_fields=newer)
        values, extra = self._values(type(present), merge.taken)
        if isinstance(present, InspectionSession) and _STATUS not in newer:
            self._check_session(present, values, change)
        self._check_unique(type(present), present.id, {**_unique_values(present), **values})
        version = self._check_rules(present, values, change) if isinstance(present, Master) else None
        position = allocate(self.session)
        for name, value in values.items():
            setattr(present, name, value)
        if extra:
            present.extra = {**present.extra, **extra}
        present.rev = position
        present.clock = max(present.clock, stamp)
        if isinstance(present, Master):
            present.field_clocks = with_field_states(present.field_clocks, merge.taken, rev=position, clock=stamp)
        deleted = merge.taken.get("deleted_at") is not None
        operation = ChangeOperation.DELETE if deleted else ChangeOperation.UPDATE
        logged = {**merge.restated, **merge.taken}
        if isinstance(present, Pipeline) and _VERSION in change.fields:
            logged[_VERSION] = present.version
        self._log(position, present, change, operation, logged, stamp)
        keep_history(self.session, change, merge)
        return _Effect(merge.outcome, position, merge.lost, version)

    def _check_session(self, present: InspectionSession, values: Mapping[str, Any], change: Change) -> None:
        """Ask the rules of sessions; what is corrected after the end is kept in the audit trail, old and new.

        A change that was made before the one that ended the session is none after its end, however late it comes.
        """
        differing = {name: value for name, value in values.items() if value != getattr(present, name)}
        who = check_session_change(self.session, present, differing, change, self.device_id)
        before = {name: getattr(present, name) for name in differing}
        if differing and present.status in ENDED:
            self._corrections.append((who, present.id, differences(before, differing)))

    def _check_rules(self, present: Master, values: Mapping[str, Any], change: Change) -> int | None:
        """Check the merged record by the rules of masters; return a pipeline's new version, None where it stays."""
        before = column_values(present)
        changed = {name for name, value in values.items() if before[name] != value}
        if present.deleted_at is None and values.get("deleted_at") is not None:
            require_deletable(self.session, present)
        self._require_valid(type(present), {**before, **values}, changed)
        if not isinstance(present, Pipeline):
            return None
        proposed = change.fields.get(_VERSION)
        version = counted_version(present.version, proposed=proposed, changed="definition" in changed)
        return version if version != present.version else None

    def _require_valid(self, record_type: type[Synced], values: Mapping[str, Any], changed: Collection[str]) -> None:
        require_valid(self.session, record_type, values, changed)
        if record_type is User and values.get("deleted_at") is None and _NAMING.intersection(changed):
            require_free_username(self.session, values["username"], values["id"])

    def _newer_fields(self, present: Synced, change: Change) -> frozenset[str]:
        """Return the fields that newer changes of a session have set; only a change that comes late needs the log."""
        if change.clock >= present.clock:
            return frozenset()
        query = select(ChangeLogEntry.fields).where(
            ChangeLogEntry.entity == present.entity,
            ChangeLogEntry.entity_id == present.id,
            ChangeLogEntry.clock > change.clock,
        )
        return frozenset(name for fields in self.session.scalars(query) for name in fields)

    def _check_unique(self, record_type: type[Synced], record_id: str, values: Mapping[str, Any]) -> None:
        if values.get("deleted_at") is not None:
            return
        for name in unique_columns(record_type):
            if name in values and holder_of(self.session, record_type, name, values[name], record_id) is not None:
                raise Conflict("sync-not-unique", field=name, value=values[name])

    def _log(
        self,
        position: int,
        record: Synced,
        change: Change,
        operation: ChangeOperation,
        fields: dict[str, Any],
        clock: str,
    ) -> None:
        made = ChangeMade(change.change_id, operation, fields, clock, self.device_id)
        add_entry(self.session, position, record, made)


def _merged_fields(change: Change) -> dict[str, Any]:
    """Return the fields of a master that are merged; the version of a pipeline is counted here instead."""
    if change.entity != Pipeline.entity:
        return change.fields
    return {name: value for name, value in change.fields.items() if name != _VERSION}


def _safe_text(given: object) -> str:
    """Return a client's id as text that can be encoded, at most 64 characters long."""
    return str(given)[:_LONGEST_ID].encode(errors="replace").decode()


def _unique_values(present: Synced) -> dict[str, Any]:
    names = [*unique_columns(type(present)), "deleted_at"]
    return {name: getattr(present, name) for name in names if hasattr(present, name)}
