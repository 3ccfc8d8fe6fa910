"""Human verification: what the person decides beside the AI result; only ever added."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.errors import InvalidInput, PermissionDenied
from models.sessions import AIResult, InspectionSession
from models.states import SessionStatus
from models.targets import InspectionItem
from models.verification import HumanVerification
from server.audit import SERVER_DEVICE, audited
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency import existing_record
from server.sessions.repository import session_by_id
from server.sessions.rules import may_update, require_decidable
from server.sessions.schemas import SessionReply, VerificationCreate, VerificationRecorded, VerificationReply


def verify(
    context: ServerContext, who: Principal, session_id: str, body: VerificationCreate
) -> tuple[VerificationRecorded, bool]:
    """Record a decision of the signed-in user and return it, and whether it is new.

    Raises:
        PermissionDenied: ``person-needed`` for a machine, ``session-of-another-device`` for another station.
        NotFound: ``inspection-session-unknown``.
        Conflict: ``verification-state`` or ``id-taken``.
        InvalidInput: ``verification-of-another-session`` when item or AI result do not belong to the session.
    """
    if who.user_id is None:
        raise PermissionDenied("person-needed")
    content = {
        **body.model_dump(exclude={"id", "defects"}),
        "defects": [defect.model_dump(mode="json", by_alias=True) for defect in body.defects],
        "session_id": session_id,
        "user_id": who.user_id,
    }
    with context.database.transaction(who.user_id) as session:
        record = session_by_id(session, session_id)
        if who.device_id not in {None, record.device_id}:
            raise PermissionDenied("session-of-another-device")
        existing = existing_record(session, HumanVerification, body.id, content)
        if existing is not None:
            return _recorded(existing, record), False
        require_decidable(record.status)
        _require_same_session(session, record, body)
        decision = _decision(who, body.id, content)
        session.add(decision)
        owns = may_update(who, device_id=record.device_id, user_id=record.user_id)
        if record.status is SessionStatus.AI_COMPLETED and owns:
            record.status = SessionStatus.HUMAN_REVIEW
        session.flush()
        audited(
            session,
            who,
            "session.verified",
            "inspection_session",
            record.id,
            verdict=body.verdict.value,
            verification_id=decision.id,
        )
        session.flush()
        return _recorded(decision, record), True


def _decision(who: Principal, decision_id: str | None, content: dict[str, Any]) -> HumanVerification:
    values = content if decision_id is None else {**content, "id": decision_id}
    return HumanVerification(**values, username=who.username, device_id=who.device_id or SERVER_DEVICE)


def _require_same_session(session: Session, record: InspectionSession, body: VerificationCreate) -> None:
    item = session.get(InspectionItem, body.item_id) if body.item_id else None
    result = session.get(AIResult, body.ai_result_id) if body.ai_result_id else None
    wrong_item = body.item_id is not None and (item is None or item.target_id != record.target_id)
    wrong_result = body.ai_result_id is not None and (result is None or result.session_id != record.id)
    if wrong_item or wrong_result:
        raise InvalidInput("verification-of-another-session")


def _recorded(decision: HumanVerification, record: InspectionSession) -> VerificationRecorded:
    return VerificationRecorded(
        verification=VerificationReply.model_validate(decision), session=SessionReply.model_validate(record)
    )
