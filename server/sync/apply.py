"""Applying of pushed changes: each at most once, in order, in a savepoint of its own, with one answer each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from models.clock import HybridLogicalClock, wall_milliseconds
from models.database import Database
from models.errors import Conflict, InvalidInput, UserFacingError
from models.messages import LocalText
from models.pipelines import Pipeline
from models.rejections import first_problem
from models.sync import AppliedChange
from models.synced import Master
from models.tracking import remote_changes
from models.users import User
from server.audit import audited
from server.auth.identity.principal import Principal
from server.change_log.cursor import encode
from server.change_log.recording import head
from server.masters.rules import delete_along
from server.sync.conflicts import earlier_conflicts
from server.sync.effects import Correction, Effect, TryLater
from server.sync.payload_validation import require_storable
from server.sync.permissions import IdentityRefused
from server.sync.record_writer import RecordWriter
from server.users.rules import settle_access
from sync.shared.problems import HELD_BACK, change_problem
from sync.shared.protocol import Change, ChangeResult, Outcome, PushAnswer

# The write lock of an embedded store is let go of in between, so that other requests never wait for a whole batch.
_TRANSACTION_CHANGES = 100
_LONGEST_ID = 64
_NO_ID = "00000000-0000-0000-0000-000000000000"


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
    _corrections: list[Correction] = field(default_factory=list)
    _writer: RecordWriter = field(init=False)

    def __post_init__(self) -> None:
        self._writer = RecordWriter(self.session, self.clock, self.device_id, self.wall)

    def apply(self, changes: Sequence[Mapping[str, Any]]) -> list[ChangeResult]:
        """Apply the changes in their order and return one result each."""
        results = [self._answer(raw) for raw in changes]
        # Not within the savepoint of a change that is refused, which takes its entries back.
        for raw, error in self._foreign:
            self._audit(raw, error)
        self._foreign.clear()
        for made in self._corrections:
            subject = ("session.corrected", "inspection_session", made.session_id)
            audited(self.session, made.who, *subject, changes=made.changes)
        self._corrections.clear()
        return results

    def _answer(self, raw: Mapping[str, Any]) -> ChangeResult:
        change_id = _safe_text(raw.get("change_id", _NO_ID))
        entity_id = _safe_text(raw.get("entity_id", ""))
        if entity_id in self.held:
            return self._refused(change_id, Conflict(HELD_BACK), retry=True)
        try:
            require_storable(raw)
            change = Change.model_validate(raw)
            with self.session.begin_nested():
                effect = self._once(change)
        except ValidationError as error:
            refusal = self._refused(change_id, InvalidInput("sync-change-invalid", reason=first_problem(error).text))
        except TryLater as later:
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
            if effect.correction is not None:
                self._corrections.append(effect.correction)
            return ChangeResult(
                change_id=change_id, outcome=effect.outcome, rev=effect.rev, conflicts=list(effect.conflicts)
            )
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

    def _once(self, change: Change) -> Effect:
        before = self.session.get(AppliedChange, change.change_id)
        if before is not None:
            if before.device_id != self.device_id:
                raise IdentityRefused("sync-other-device")
            return Effect(Outcome.DUPLICATE, before.rev, earlier_conflicts(self.session, change, self.device_id))
        with remote_changes(self.session):
            effect = self._writer.write(change)
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

    def _complete(self, change: Change, effect: Effect) -> None:
        """Make the changes that follow from one by the rules of masters; the log has them as the server's own."""
        record = self.session.get(self._writer.types[change.entity], change.entity_id)
        if isinstance(record, Pipeline) and effect.version is not None:
            record.version = effect.version
        if isinstance(record, Master):
            delete_along(self.session, record)
            self.session.flush()
        if isinstance(record, User):
            settle_access(self.session, Principal.of_device(self.device_id), record, change.fields.keys())


def _safe_text(given: object) -> str:
    """Return a client's id as text that can be encoded, at most 64 characters long."""
    return str(given)[:_LONGEST_ID].encode(errors="replace").decode()
