"""The effective verdict of a session: a person's decision overrides the machine's, the newest by clock counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, cast

from sqlalchemy import Table, bindparam, event, select, update
from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.orm.attributes import set_committed_value

from models.part_changes import report_parts
from models.sessions import AIResult, InspectionSession
from models.states import HumanVerdict, Verdict
from models.verification import HumanVerification

_SEVERITY = {HumanVerdict.OK: 0, HumanVerdict.HOLD: 1, HumanVerdict.NG: 2}


class AiVerdict(NamedTuple):
    """An AI result as far as the effective verdict goes."""

    item_id: str | None
    clock: str
    verdict: Verdict


class HumanDecision(NamedTuple):
    """A human verification as far as the effective verdict goes; ``item_id`` None is the whole part."""

    item_id: str | None
    clock: str
    verdict: HumanVerdict


def effective_verdict(machine: Iterable[AiVerdict], person: Iterable[HumanDecision]) -> HumanVerdict | None:
    """Return the effective verdict of a part, None while there is neither an AI result nor a decision.

    Per item the newest AI result holds until a person decides; decisions apply in order of their clocks, one on the
    whole part replacing all that was decided before it. The part is as bad as its worst item (NG, then HOLD, then OK).
    """
    items: dict[str | None, HumanVerdict] = {
        result.item_id: HumanVerdict(result.verdict.value)
        for result in sorted(machine, key=lambda result: result.clock)
    }
    for decision in sorted(person, key=lambda decision: decision.clock):
        if decision.item_id is None:
            items = {None: decision.verdict}
        else:
            items[decision.item_id] = decision.verdict
    return max(items.values(), key=_SEVERITY.__getitem__, default=None)


def settle_verdicts(session: Session, session_ids: Collection[str]) -> None:
    """Bring ``InspectionSession.effective_verdict`` of some parts in line with their facts that are in the store."""
    if not session_ids:
        return
    connection = session.connection()
    machine: dict[str, list[AiVerdict]] = {one: [] for one in sorted(session_ids)}
    person: dict[str, list[HumanDecision]] = {one: [] for one in machine}
    results = select(AIResult.session_id, AIResult.item_id, AIResult.clock, AIResult.overall_result)
    for part, item, clock, result in connection.execute(results.where(AIResult.session_id.in_(machine))):
        machine[part].append(AiVerdict(item, clock, result))
    decisions = select(
        HumanVerification.session_id, HumanVerification.item_id, HumanVerification.clock, HumanVerification.verdict
    )
    for part, item, clock, decided in connection.execute(decisions.where(HumanVerification.session_id.in_(machine))):
        person[part].append(HumanDecision(item, clock, decided))
    verdicts = {part: effective_verdict(found, person[part]) for part, found in machine.items()}
    connection.execute(_SET_VERDICT, [{"of_session": part, "verdict": found} for part, found in verdicts.items()])
    for part, found in verdicts.items():
        loaded = session.identity_map.get(session.identity_key(InspectionSession, part))
        if loaded is not None:
            set_committed_value(loaded, "effective_verdict", found)
    report_parts(session, verdicts)


_TABLE = cast("Table", InspectionSession.__table__)
_SET_VERDICT = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("of_session"))
    .values(effective_verdict=bindparam("verdict", type_=_TABLE.c.effective_verdict.type))
)


def derive_effective_verdicts(kind: type[Session]) -> None:
    """Keep ``InspectionSession.effective_verdict`` true whenever a session of ``kind`` flushes a new fact of a part.

    Parts whose own record was written are reported to whoever watches them, as are those that got facts.
    """

    def after_flush(flushed: Session, context: UOWTransaction) -> None:
        del context
        settle_verdicts(
            flushed, {record.session_id for record in flushed.new if isinstance(record, AIResult | HumanVerification)}
        )
        written = {*flushed.new, *flushed.dirty, *flushed.deleted}
        report_parts(flushed, {record.id for record in written if isinstance(record, InspectionSession)})

    event.listen(kind, "after_flush", after_flush)
