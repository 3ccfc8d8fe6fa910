"""Applying of pushed changes: each at most once, in order, with one answer each.

Consecutive facts and sessions are checked one by one and written together. What the checks did not foresee, a rule of
the schema that the store enforces, undoes a transaction of many; its changes come again in transactions of few. There
it undoes such a run alone, and its changes are applied again in a savepoint each. So is every change of a master.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from models.clock import HybridLogicalClock, wall_milliseconds
from models.database import Database
from models.errors import Conflict, InvalidInput, UserFacingError
from models.messages import LocalText
from models.pipelines import Pipeline
from models.synced import Master, Synced, synced_types
from models.tracking import remote_changes
from models.users import User
from server.audit import AuditedChange, audited, record_changes
from server.auth.identity.principal import Principal
from server.change_log.cursor import encode
from server.change_log.recording import head
from server.masters.rules import delete_along
from server.sync.conflicts import earlier_conflicts
from server.sync.effects import Effect, TryLater
from server.sync.given import MOST_ALONE, GivenChange, is_of_part, portions, read_changes, small_portions
from server.sync.handing_back import hand_back
from server.sync.ledger import Ledger
from server.sync.lookups import Lookups
from server.sync.permissions import IdentityRefused
from server.sync.record_writer import RecordWriter
from server.users.rules import settle_access
from sync.shared.problems import HELD_BACK, MASTER_NOT_TAKEN, MISSING_PARENT, change_problem
from sync.shared.protocol import Change, ChangeResult, Outcome, PushAnswer

_LONGEST_ID = 64
_NO_ID = "00000000-0000-0000-0000-000000000000"


class _RunRefused(Exception):
    """The store refuses a run of more changes than one transaction takes one by one."""


def apply_batch(
    database: Database,
    clock: HybridLogicalClock,
    device_id: str,
    changes: Sequence[Mapping[str, Any]],
    *,
    language: str = "en",
    wall: Callable[[], int] = wall_milliseconds,
    address: str = "",
) -> PushAnswer:
    """Apply a batch in transactions of its own and return the answer; see ``BatchApplier``.

    A server that ends half-way has applied the first part of the batch, each change of it whole and remembered: sent
    again, those are duplicates and the others follow.
    """
    results: list[ChangeResult] = []
    held: set[str] = set()

    def applied(portion: Sequence[GivenChange]) -> list[ChangeResult]:
        with database.transaction(large=True) as session:
            return BatchApplier(session, clock, device_id, language, wall, address, held).apply(portion)

    # The write lock of an embedded store is let go of in between, so that other requests do not wait long.
    for portion in portions(read_changes(changes)):
        before = held.copy()
        try:
            results += applied(portion)
        except _RunRefused:
            held = before
            for few in small_portions(portion):
                results += applied(few)
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
        address: that the batch came from, for the audit trail.
        held: ids of records of which a change was refused; later ones of the same batch are not applied either.
    """

    session: Session
    clock: HybridLogicalClock
    device_id: str
    language: str = "en"
    wall: Callable[[], int] = wall_milliseconds
    address: str = ""
    held: set[str] = field(default_factory=set)
    _foreign: list[tuple[Mapping[str, Any], UserFacingError]] = field(default_factory=list)
    _audits: list[AuditedChange] = field(default_factory=list)
    _types: dict[str, type[Synced]] = field(default_factory=synced_types)

    def apply(self, changes: Sequence[GivenChange]) -> list[ChangeResult]:
        """Apply the changes in their order and return one result each.

        Raises:
            _RunRefused: when the store refuses a run among more than ``MOST_ALONE`` changes.
        """
        results: list[ChangeResult] = []
        few = len(changes) <= MOST_ALONE
        for together, run in itertools.groupby(changes, lambda one: one.may_share):
            given = list(run)
            results += self._together(given, few=few) if together else [self._alone(one) for one in given]
        # Not within the savepoint of a change that is refused, which takes its entries back.
        for raw, error in self._foreign:
            self._audit(raw, error)
        self._foreign.clear()
        of = [replace(one, who=replace(one.who, address=self.address)) for one in self._audits]
        record_changes(self.session, of)
        self._audits.clear()
        return results

    def _together(self, given: Sequence[GivenChange], *, few: bool) -> list[ChangeResult]:
        before = self.held.copy(), self._foreign.copy(), self._audits.copy()
        try:
            with self.session.begin_nested():
                return self._written_together(given)
        except (IntegrityError, DataError) as error:
            if not few:
                raise _RunRefused from error
            self.held.clear()
            self.held.update(before[0])
            self._foreign, self._audits = before[1:]
        return [self._alone(one) for one in given]

    def _written_together(self, given: Sequence[GivenChange]) -> list[ChangeResult]:
        writer = self._writer()
        writer.lookups.expect((one.change for one in given if isinstance(one.change, Change)), self._types)
        with remote_changes(self.session), self.session.no_autoflush:
            results = [self._answer(one, lambda change: self._once(writer, change)) for one in given]
            writer.ledger.settle()
        return results

    def _alone(self, given: GivenChange) -> ChangeResult:
        raw = given.raw
        try:
            return self._answer(given, self._in_savepoint)
        except IntegrityError:
            # What the checks before did not foresee: two rules of the schema at once. The savepoint is rolled back.
            return self._refusal(raw, Conflict("sync-not-consistent", entity=str(raw.get("entity", ""))))
        except DataError:
            reason = LocalText.of("value-int-parsing-size", {})
            return self._refusal(raw, InvalidInput("sync-change-invalid", reason=reason))

    def _in_savepoint(self, change: Change) -> Effect:
        writer = self._writer()
        with self.session.begin_nested():
            with remote_changes(self.session):
                effect = self._once(writer, change)
                writer.ledger.settle()
            along = self._complete(change, effect)
        return replace(effect, audits=(*effect.audits, *along))

    def _writer(self) -> RecordWriter:
        lookups, ledger = Lookups(self.session, self.device_id), Ledger(self.session, self.device_id)
        return RecordWriter(self.session, self.clock, self.device_id, self.wall, lookups, ledger, self._types)

    def _answer(self, given: GivenChange, apply: Callable[[Change], Effect]) -> ChangeResult:
        raw, change = given
        if _entity_id(raw) in self.held:
            return self._refused(raw, Conflict(HELD_BACK), retry=True)
        if isinstance(change, UserFacingError):
            return self._refusal(raw, change)
        try:
            effect = apply(change)
        except TryLater as later:
            return self._refusal(raw, later.error, retry=True)
        except IdentityRefused as error:
            self._foreign.append((raw, error))
            return self._refusal(raw, error)
        except UserFacingError as error:
            return self._refusal(raw, error)
        self._audits += effect.audits
        return ChangeResult(
            change_id=change.change_id, outcome=effect.outcome, rev=effect.rev, conflicts=list(effect.conflicts)
        )

    def _refusal(self, raw: Mapping[str, Any], error: UserFacingError, *, retry: bool = False) -> ChangeResult:
        """Return the answer to a change that is refused; later ones of its record are held back."""
        entity_id = _entity_id(raw)
        if entity_id and not _may_be_overtaken(error):
            self.held.add(entity_id)
        return self._refused(raw, error, retry=retry)

    def _refused(self, raw: Mapping[str, Any], error: UserFacingError, *, retry: bool = False) -> ChangeResult:
        problem = change_problem(error, self.language, retry=retry)
        change_id = _safe_text(raw.get("change_id", _NO_ID))
        return ChangeResult(change_id=change_id, outcome=Outcome.REJECTED, problem=problem)

    def _audit(self, raw: Mapping[str, Any], error: UserFacingError) -> None:
        audited(
            self.session,
            replace(Principal.of_device(self.device_id), address=self.address),
            "sync.refused",
            str(raw.get("entity", ""))[:64],
            str(raw.get("entity_id", ""))[:64],
            change_id=str(raw.get("change_id", ""))[:64],
            reason=error.code,
        )

    def _once(self, writer: RecordWriter, change: Change) -> Effect:
        before = writer.lookups.applied(change.change_id)
        if before is not None:
            # A copy holds what waited when it was made: it or the store that it was copied from has sent it first.
            by_copy = writer.lookups.is_successor(before.device_id)
            if not by_copy and before.device_id not in {self.device_id, writer.lookups.former_id()}:
                raise IdentityRefused("sync-other-device")
            # Facts and sessions are never merged with a conflict.
            lost = () if is_of_part(change.entity) else earlier_conflicts(self.session, change, before.device_id)
            back = self._handed_back(writer, change) if by_copy else None
            return Effect(Outcome.DUPLICATE, back or before.rev, lost)
        effect = writer.write(change)
        writer.ledger.add_applied(change.change_id, effect)
        writer.lookups.note_applied(change.change_id, self.device_id, effect.rev)
        return effect

    def _handed_back(self, writer: RecordWriter, change: Change) -> int | None:
        record_type = self._types.get(change.entity)
        record = writer.lookups.record(record_type, change.entity_id) if record_type is not None else None
        return hand_back(record, self.device_id, writer.ledger) if record is not None else None

    def _complete(self, change: Change, effect: Effect) -> list[AuditedChange]:
        """Make the changes that follow from one by the rules of masters; the log has them as the server's own.

        Returns what of them goes into the audit trail after the change.
        """
        along: list[AuditedChange] = []
        record = self.session.get(self._types[change.entity], change.entity_id)
        if isinstance(record, Pipeline) and effect.version is not None:
            record.version = effect.version
        if isinstance(record, Master):
            who = effect.audits[0].who if effect.audits else Principal.of_device(self.device_id)
            along = delete_along(self.session, who, record)
            self.session.flush()
        if isinstance(record, User):
            settle_access(self.session, Principal.of_device(self.device_id), record, change.fields.keys())
        return along


def _may_be_overtaken(error: UserFacingError) -> bool:
    """Return whether a refused change holds back no later one of its record.

    An edit need not wait for an offer; and what waits for its record must not keep away the change that makes it, which
    comes later where a restored server has lost the record.
    """
    absent = error.code == MISSING_PARENT and error.values.get("field") == "id"
    return absent or error.code == MASTER_NOT_TAKEN


def _entity_id(raw: Mapping[str, Any]) -> str:
    return _safe_text(raw.get("entity_id", ""))


def _safe_text(given: object) -> str:
    """Return a client's id as text that can be encoded, at most 64 characters long."""
    return str(given)[:_LONGEST_ID].encode(errors="replace").decode()
