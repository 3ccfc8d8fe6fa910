"""What the person decides about a part, recorded beside the AI result; the session ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.station.operations.history import PartSummary, summaries
from app.station.operations.sessions import audit, own_session
from app.station.operations.users import SignedInUser, require_inspector
from models.clock import utc_now
from models.errors import Conflict
from models.results import MarkedDefect
from models.sessions import InspectionSession
from models.states import HumanVerdict, SessionStatus, require_transition
from models.verification import HumanVerification

if TYPE_CHECKING:
    from app.station.workspace import Workspace

_DECIDABLE = frozenset({SessionStatus.AI_COMPLETED, SessionStatus.HUMAN_REVIEW, SessionStatus.COMPLETED})


def verify(
    workspace: Workspace,
    user: SignedInUser,
    session_id: str,
    verdict: HumanVerdict,
    *,
    item_id: str | None = None,
    ai_result_id: str | None = None,
    defects: Sequence[MarkedDefect] = (),
    comment: str = "",
    seconds: float | None = None,
    complete: bool = True,
) -> PartSummary:
    """Record the person's decision and, with ``complete``, end the session, in one transaction.

    A decision about a session that is completed already is a correction: it is added, nothing is overwritten.

    Args:
        workspace: the station.
        user: who decides.
        session_id: the part.
        verdict: the decision; HOLD ends the session too and is counted apart in the statistics.
        item_id: the item it is about; None for the whole part.
        ai_result_id: the AI result the person had on the screen.
        defects: what the person marked.
        comment: free text.
        seconds: time the person took.
        complete: end the session; False leaves it in ``HUMAN_REVIEW`` for decisions about further items.

    Raises:
        PermissionDenied: ``role-not-enough``.
        NotFound: ``session-unknown``.
        Conflict: ``session-not-inspected`` before the AI result is there or after the session was cancelled.
    """
    require_inspector(user)
    with workspace.database.transaction(actor=user.user_id) as session:
        record = own_session(workspace, session, session_id)
        if record.status not in _DECIDABLE:
            raise Conflict("session-not-inspected", status=record.status.value)
        before = record.effective_verdict
        session.add(
            HumanVerification(
                device_id=record.device_id,
                session_id=record.id,
                item_id=item_id,
                ai_result_id=ai_result_id,
                user_id=user.user_id,
                username=user.username,
                verdict=verdict,
                defects=[defect.model_dump(mode="json", by_alias=True) for defect in defects],
                comment=comment.strip(),
                seconds=seconds,
            )
        )
        audit(
            workspace,
            session,
            user,
            "part.verified",
            record.id,
            verdict=verdict.value,
            before=before.value if before else None,
            item_id=item_id,
        )
        if complete:
            _complete(record)
        elif record.status is SessionStatus.AI_COMPLETED:
            require_transition(record.status, SessionStatus.HUMAN_REVIEW)
            record.status = SessionStatus.HUMAN_REVIEW
        session.flush()
        summary = summaries(session, [record])[0]
    if complete:
        workspace.request_sync()
    return summary


def complete_session(workspace: Workspace, user: SignedInUser, session_id: str) -> PartSummary:
    """End a session with the verdicts so far: the AI result applies where no person decided.

    Raises:
        PermissionDenied: ``role-not-enough``.
        NotFound: ``session-unknown``.
        Conflict: ``session-state`` when it is not inspected yet or has ended.
    """
    require_inspector(user)
    with workspace.database.transaction(actor=user.user_id) as session:
        record = own_session(workspace, session, session_id)
        require_transition(record.status, SessionStatus.COMPLETED)
        _complete(record)
        verdict = record.effective_verdict
        audit(workspace, session, user, "session.completed", record.id, verdict=verdict.value if verdict else None)
        session.flush()
        summary = summaries(session, [record])[0]
    workspace.request_sync()
    return summary


def _complete(record: InspectionSession) -> None:
    if record.status is SessionStatus.COMPLETED:
        return
    require_transition(record.status, SessionStatus.COMPLETED)
    record.status = SessionStatus.COMPLETED
    record.completed_at = utc_now()
