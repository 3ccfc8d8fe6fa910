"""Takes the server's answers to pushed changes: what it accepted leaves the outbox, what it refused stays in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, or_, update
from sqlalchemy.orm import Session

from models.states import OutboxState
from models.sync import OutboxEntry
from models.synced import Master, Synced, synced_types
from models.tracking import remote_changes
from sync.shared.problems import may_retry, problem_code
from sync.shared.protocol import ChangeResult, Outcome
from sync.shared.records import table_of
from sync.station.lost_edits import keep_conflicts
from sync.station.outbox import WaitingChange
from sync.station.stand_ins import take_back_values


@dataclass(slots=True)
class Acknowledged:
    """What the answers to a batch did."""

    accepted: int = 0
    dead: int = 0
    retried: int = 0
    conflicts: int = 0


def take_results(session: Session, sent: Mapping[str, WaitingChange], results: Sequence[ChangeResult]) -> Acknowledged:
    """Take the server's answers: what it accepted leaves the outbox, what it refused for good is a dead letter.

    Args:
        session: the caller's transaction.
        sent: the pushed entries by change id.
        results: the answers.
    """
    done = Acknowledged()
    accepted: list[tuple[WaitingChange, ChangeResult]] = []
    with remote_changes(session):
        for result in results:
            entry = sent.get(result.change_id)
            if entry is None:
                continue
            if result.outcome is Outcome.REJECTED:
                _take_refusal(session, entry.sequence, result, done)
                continue
            done.accepted += 1
            done.conflicts += keep_conflicts(session, entry.entity, entry.entity_id, entry.change_id, result.conflicts)
            accepted.append((entry, result))
        _learn_revs(session, accepted)
        if accepted:
            session.execute(
                delete(OutboxEntry).where(OutboxEntry.sequence.in_([entry.sequence for entry, _ in accepted])),
                execution_options={"synchronize_session": False},
            )
        take_back_values(session, accepted)
    return done


def _take_refusal(session: Session, sequence: int, result: ChangeResult, done: Acknowledged) -> None:
    entry = session.get(OutboxEntry, sequence)
    if entry is None:
        return
    entry.attempts += 1
    entry.last_error = problem_code(result.problem)
    if may_retry(result.problem):
        done.retried += 1
        return
    done.dead += 1
    entry.state = OutboxState.DEAD
    entry.problem = result.problem


def _learn_revs(session: Session, accepted: Iterable[tuple[WaitingChange, ChangeResult]]) -> None:
    """Note the positions of changes of ours, so that older changes of others pulled later do not undo them."""
    types = synced_types()
    newest: dict[type[Synced], dict[str, int]] = {}
    for entry, result in accepted:
        record_type = types.get(entry.entity)
        if record_type is None or result.rev is None:
            continue
        if issubclass(record_type, Master):
            _learn_rev(session, record_type, entry, result)
        else:
            revs = newest.setdefault(record_type, {})
            revs[entry.entity_id] = max(revs.get(entry.entity_id, 0), result.rev)
    session.flush()
    for record_type, revs in newest.items():
        # Past the recorder: a position is no change that travels. No object of these records is loaded here.
        columns = table_of(record_type).c
        older = or_(columns.rev.is_(None), columns.rev < bindparam("newest"))
        statement = update(table_of(record_type)).where(columns.id == bindparam("of"), older)
        values = [{"of": record_id, "newest": rev} for record_id, rev in revs.items()]
        session.connection().execute(statement.values(rev=bindparam("newest")), values)


def _learn_rev(session: Session, record_type: type[Master], entry: WaitingChange, result: ChangeResult) -> None:
    record = session.get(record_type, entry.entity_id)
    if record is None or result.rev is None:
        return
    lost = {conflict.field for conflict in result.conflicts}
    states = record.field_clocks
    for name in entry.fields:
        if name not in lost:
            state = states.get(name, {})
            rev = max(state.get("rev") or 0, result.rev)
            states = {**states, name: {**state, "rev": rev, "clock": state.get("clock", entry.clock)}}
    record.field_clocks = states
