"""The effective verdict of a session: a person's decision overrides the machine's, the newest by clock counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, UOWTransaction
from sqlalchemy.orm.attributes import set_committed_value

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


def derive_effective_verdicts(kind: type[Session]) -> None:
    """Keep ``InspectionSession.effective_verdict`` true whenever a session of ``kind`` flushes a new fact of a part."""

    def after_flush(flushed: Session, context: UOWTransaction) -> None:
        del context
        touched = {record.session_id for record in flushed.new if isinstance(record, AIResult | HumanVerification)}
        if not touched:
            return
        connection = flushed.connection()
        for session_id in sorted(touched):
            machine = connection.execute(
                select(AIResult.item_id, AIResult.clock, AIResult.overall_result).where(
                    AIResult.session_id == session_id
                )
            )
            person = connection.execute(
                select(HumanVerification.item_id, HumanVerification.clock, HumanVerification.verdict).where(
                    HumanVerification.session_id == session_id
                )
            )
            verdict = effective_verdict((AiVerdict(*row) for row in machine), (HumanDecision(*row) for row in person))
            connection.execute(
                update(InspectionSession).where(InspectionSession.id == session_id).values(effective_verdict=verdict)
            )
            loaded = flushed.identity_map.get(flushed.identity_key(InspectionSession, session_id))
            if loaded is not None:
                set_committed_value(loaded, "effective_verdict", verdict)

    event.listen(kind, "after_flush", after_flush)
