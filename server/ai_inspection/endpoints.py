"""``/inspection/sessions/{id}/ai-inspection`` and ``/inspection/pipeline-results/convert``."""

from __future__ import annotations

import functools
from typing import Annotated

from fastapi import Depends

from models.errors import Conflict, InvalidInput
from models.messages import LocalText
from models.states import Role
from server.ai_inspection import service
from server.ai_inspection.beginning import begin
from server.ai_inspection.schemas import AiInspectionCreate, AiInspectionReply, ConversionRequest
from server.ai_inspection.waiting import wait_for_end
from server.executions.service import cancel, state_of
from server.http.dependencies import Context, Principal, require
from server.http.lanes import Lane, light_request, run_on
from server.http.routes import feature_router
from sync.shared.schemas import NamedId

router = feature_router(prefix="/inspection", tags=["AI inspection"])
Inspecting = Annotated[Principal, Depends(require(Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR))]


@router.post(
    "/sessions/{session_id}/ai-inspection",
    summary="Inspect an item of a part on an uploaded image",
    responses={404: {}, 409: {}, 422: {}, 503: {}},
)
async def inspect(
    session_id: NamedId, asking: Inspecting, context: Context, body: AiInspectionCreate
) -> AiInspectionReply:
    """Runs the item's pipeline, judges by its criteria, and answers when the result is recorded with the session.

    422 `inspection-error` with `inspection_context` when pipeline, item, image or models do not fit. A request with an
    `id` that is sent again answers the same result.
    """
    light_request()
    if body.session_id not in {None, session_id}:
        entry = {"field": "session_id", "message": LocalText.of("value-session-of-path", {})}
        raise InvalidInput("validation-error", members={"validation_errors": [entry]})
    known = await run_on(Lane.READS, service.known_result, context, asking, session_id, body)
    if known is not None:
        return known
    begun = await run_on(Lane.WRITES, begin, context, asking, session_id, body)
    look = functools.partial(run_on, Lane.READS, state_of, context, asking, begun.execution_id)
    patience_s = context.settings.ai_inspection_timeout_s
    try:
        await wait_for_end(context, begun.execution_id, look, patience_s)
    except TimeoutError as error:
        try:
            await run_on(Lane.WRITES, cancel, context, asking, begun.execution_id)
        except Conflict:
            # It has ended at the last moment.
            return await run_on(Lane.WRITES, service.record_result, context, asking, begun, body.id)
        raise service.timed_out(patience_s) from error
    return await run_on(Lane.WRITES, service.record_result, context, asking, begun, body.id)


@router.post(
    "/pipeline-results/convert",
    summary="Judge an execution's output by an item's criteria",
    responses={404: {}, 409: {}, 422: {}},
)
def convert(asking: Inspecting, context: Context, body: ConversionRequest) -> AiInspectionReply:
    """The verdict that the item's criteria give what the execution found on one of its files; nothing is recorded.

    422 `inspection-error` with `inspection_context` when the execution's pipeline does not fit the item.
    """
    del asking
    return service.convert(context, body)
