"""``/inspection/sessions``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from models.states import HumanVerdict, Role, SessionStatus
from server.core.paging import PageQuery
from server.http.dependencies import Asking, Context, Principal, require
from server.http.lanes import quick
from server.http.paging import paging_by
from server.http.periods import InPeriod
from server.http.revisions import Answered, IfMatch, Read
from server.http.routes import feature_router
from server.sessions import images, service, verification
from server.sessions.repository import SessionFilter
from server.sessions.schemas import (
    ImageAttach,
    ImageReply,
    SessionCreate,
    SessionDetail,
    SessionReply,
    SessionUpdate,
    VerificationCreate,
    VerificationRecorded,
)
from sync.shared.schemas import DeviceName, NamedId, Page, RecordId

router = feature_router(prefix="/inspection/sessions", tags=["sessions"])
Inspecting = Annotated[Principal, Depends(require(Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR))]
Person = Annotated[Principal, Depends(require(Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN))]


async def session_filter(
    period: InPeriod,
    status: Annotated[SessionStatus | None, Query(description="Only this status.")] = None,
    target_id: Annotated[RecordId | None, Query(description="Only this target.")] = None,
    device_id: Annotated[
        DeviceName | None, Query(max_length=64, description="Only this station; `server` is the server itself.")
    ] = None,
    lot: Annotated[str | None, Query(max_length=128, description="Only this lot.")] = None,
    serial_number: Annotated[str | None, Query(max_length=128, description="Only this serial number.")] = None,
    verdict: Annotated[HumanVerdict | None, Query(description="Only this effective verdict.")] = None,
) -> SessionFilter:
    """Return the filter of a list; the period is that of creation."""
    return SessionFilter(status, target_id, device_id, lot, serial_number, verdict, period.start, period.end)


@router.get("", summary="List sessions")
def list_sessions(
    asking: Asking,
    context: Context,
    paging: Annotated[
        PageQuery, Depends(paging_by("created_at", "started_at", "completed_at", "status", "lot", "serial_number"))
    ],
    wanted: Annotated[SessionFilter, Depends(session_filter)],
) -> Page[SessionReply]:
    """Newest first; the search looks at lot and serial number. A station alone sees its own."""
    return service.list_sessions(context, asking, wanted, paging)


@router.post(
    "", summary="Start a session", status_code=201, responses={200: {"model": SessionDetail}, 404: {}, 409: {}, 422: {}}
)
@quick
def create_session(asking: Inspecting, context: Context, body: SessionCreate, answer: Answered) -> SessionDetail:
    """The same request again answers 200 with the same session."""
    reply, new = service.create_session(context, asking, body)
    answer.created(f"/inspection/sessions/{reply.id}", new=new)
    return answer.of(reply)


@router.get("/{session_id}", summary="One session with its facts")
@quick
def get_session(session_id: NamedId, asking: Asking, context: Context, answer: Read) -> SessionDetail:
    """Session, images, AI results and human verifications. A station alone sees its own."""
    return answer.of(service.get_session(context, asking, session_id))


@router.put("/{session_id}", summary="Change a session", responses={409: {}})
def update_session(
    session_id: NamedId,
    asking: Inspecting,
    context: Context,
    body: SessionUpdate,
    answer: Answered,
    expected: IfMatch,
) -> SessionDetail:
    """What is left out stays; 409 for a step that the state does not allow."""
    return answer.of(service.update_session(context, asking, session_id, body, expected))


@router.post("/{session_id}/complete", summary="End a session by its verdict", responses={409: {}})
def complete_session(session_id: NamedId, asking: Inspecting, context: Context, answer: Answered) -> SessionDetail:
    """409 when the state does not allow it or nobody has said anything about the part."""
    return answer.of(service.complete_session(context, asking, session_id))


@router.post(
    "/{session_id}/human-verification",
    summary="Record what the person decides",
    status_code=201,
    responses={200: {"model": VerificationRecorded}, 409: {}, 422: {}},
)
@quick
def verify_session(
    session_id: NamedId, asking: Person, context: Context, body: VerificationCreate, answer: Answered
) -> VerificationRecorded:
    """By the signed-in user; after the end of the session it is a correction, nothing is overwritten."""
    reply, new = verification.verify(context, asking, session_id, body)
    answer.created(f"/inspection/sessions/{reply.session.id}", new=new)
    return reply


@router.post(
    "/{session_id}/images",
    summary="Attach an uploaded file",
    status_code=201,
    responses={200: {"model": ImageReply}, 409: {}, 422: {}},
)
def attach_image(
    session_id: NamedId, asking: Inspecting, context: Context, body: ImageAttach, answer: Answered
) -> ImageReply:
    """The file becomes an image of the session, read as `/files/{id}` by the image's id; 409 after the end."""
    reply, new = images.attach_image(context, asking, session_id, body)
    answer.created(f"/files/{reply.id}", new=new)
    return reply
