"""Human verification: what the person decides, with an AI result or without one; only ever added."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.errors import DoesNotFit, PermissionDenied
from models.sessions import AIResult, InspectionSession
from models.states import ENDED, SessionStatus
from models.targets import InspectionItem
from models.verification import HumanVerification
from server.audit import SERVER_DEVICE, audited, differences
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency import existing_record
from server.sessions.repository import session_by_id
from server.sessions.rules import Action, require_decidable, require_may
from server.sessions.schemas import SessionReply, VerificationCreate, VerificationRecorded, VerificationReply
from server.sessions.service import owner_of, publish, step

_BEFORE_REVIEW = frozenset({SessionStatus.PENDING, SessionStatus.IN_PROGRESS, SessionStatus.AI_COMPLETED})


def verify(
    context: ServerContext, who: Principal, session_id: str, body: VerificationCreate
) -> tuple[VerificationRecorded, bool]:
    """Record a decision of the signed-in user and return it, and whether it is new.

    Before the end of the session it takes the session to ``HUMAN_REVIEW``, or with ``complete`` to its end.

    Raises:
        PermissionDenied: ``person-needed`` for a machine; else as ``require_may``.
        NotFound: ``inspection-session-unknown``.
        Conflict: ``verification-state`` or ``id-taken``.
        DoesNotFit: ``verification-of-another-session`` when item or AI result do not belong to the session.
    """
    if who.user_id is None:
        raise PermissionDenied("person-needed")
    content = {
        **body.model_dump(exclude={"id", "defects", "complete"}),
        "defects": [defect.model_dump(mode="json", by_alias=True) for defect in body.defects],
        "session_id": session_id,
        "user_id": who.user_id,
    }
    with context.database.transaction(who.user_id) as session:
        record = session_by_id(session, session_id)
        require_may(who, Action.VERIFY, owner_of(record))
        existing = existing_record(session, HumanVerification, body.id, content)
        if existing is not None:
            return _recorded(existing, record), False
        require_decidable(record.status)
        _require_same_session(session, record, body)
        decision = _decision(who, body.id, content)
        session.add(decision)
        before, verdict_before = record.status, record.effective_verdict
        if before in _BEFORE_REVIEW:
            step(record, SessionStatus.HUMAN_REVIEW)
        session.flush()
        if body.complete and before not in ENDED:
            require_may(who, Action.COMPLETE, owner_of(record))
            step(record, SessionStatus.COMPLETED)
            session.flush()
        audited(
            session,
            who,
            "session.verified",
            "inspection_session",
            record.id,
            verdict=body.verdict.value,
            verification_id=decision.id,
            changes=differences(
                {"status": before, "effective_verdict": verdict_before},
                {"status": record.status, "effective_verdict": record.effective_verdict},
            ),
        )
        session.flush()
        recorded = _recorded(decision, record)
    if recorded.session.status is not before:
        publish(context, recorded.session)
    return recorded, True


def _decision(who: Principal, decision_id: str | None, content: dict[str, Any]) -> HumanVerification:
    values = content if decision_id is None else {**content, "id": decision_id}
    return HumanVerification(**values, username=who.username, device_id=who.device_id or SERVER_DEVICE)


def _require_same_session(session: Session, record: InspectionSession, body: VerificationCreate) -> None:
    item = session.get(InspectionItem, body.item_id) if body.item_id else None
    result = session.get(AIResult, body.ai_result_id) if body.ai_result_id else None
    wrong_item = body.item_id is not None and (item is None or item.target_id != record.target_id)
    wrong_result = body.ai_result_id is not None and (result is None or result.session_id != record.id)
    if wrong_item or wrong_result:
        raise DoesNotFit("verification-of-another-session")


def _recorded(decision: HumanVerification, record: InspectionSession) -> VerificationRecorded:
    return VerificationRecorded(
        verification=VerificationReply.model_validate(decision), session=SessionReply.model_validate(record)
    )
