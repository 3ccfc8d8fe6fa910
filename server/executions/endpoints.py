"""``/executions``."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request

from models.messages import choose_language
from models.states import ExecutionStatus, Role
from server.core.paging import PageQuery
from server.executions import service
from server.executions.intake import FILES, MOST_PARAMETERS, Draft, Intake, rejected, require_total
from server.executions.pipelines import ResolvedPipeline, knows_pipelines
from server.executions.repository import ExecutionFilter
from server.executions.schemas import ExecutionAccepted, ExecutionDetail, ExecutionReply
from server.http.dependencies import Asking, Context, Principal, require
from server.http.idempotency import HEADER, LONGEST, PATTERN
from server.http.lanes import Lane, light_request, read_quickly, run_on
from server.http.limits import MULTIPART, takes_up_to
from server.http.multipart import PartBegins, PartEnds, PartEvent, form_parts
from server.http.paging import paging_or_offset_by
from server.http.periods import InPeriod
from server.http.revisions import Answered, Read
from server.http.routes import feature_router
from sync.shared.schemas import NamedId, Page, RecordId

router = feature_router(prefix="/executions", tags=["executions"])
Running = Annotated[Principal, Depends(require(Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN, Role.INTEGRATOR))]
Language = Annotated[str | None, Header(alias="Accept-Language")]
_FIELDS = 10
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": ["pipeline_id", FILES],
                    "additionalProperties": False,
                    "properties": {
                        "pipeline_id": {"type": "string", "format": "uuid", "description": "The pipeline to run."},
                        FILES: {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "The images; the pipeline runs on each of them.",
                        },
                        "parameters": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "Overrides of step parameters: `{step id: {parameter: value}}`; "
                            f"at most {MOST_PARAMETERS} steps and parameters together.",
                        },
                        "priority": {"type": "string", "enum": ["high", "normal", "low"], "default": "normal"},
                    },
                }
            }
        },
    }
}


async def execution_filter(
    asking: Asking,
    period: InPeriod,
    status: Annotated[ExecutionStatus | None, Query(description="Only this status.")] = None,
    pipeline_id: Annotated[RecordId | None, Query(description="Only this pipeline.")] = None,
    mine: Annotated[bool, Query(description="Only those that the caller asked for.")] = False,
) -> ExecutionFilter:
    """Return the filter of a list; the period is that of creation."""
    return ExecutionFilter(
        status, pipeline_id, period.start, period.end, mine=mine, user_id=asking.user_id, created_by=asking.username
    )


@router.get("", summary="List executions")
def list_executions(
    asking: Asking,
    context: Context,
    paging: Annotated[
        PageQuery, Depends(paging_or_offset_by("created_at", "started_at", "ended_at", "status", "pipeline_name"))
    ],
    wanted: Annotated[ExecutionFilter, Depends(execution_filter)],
) -> Page[ExecutionReply]:
    """Newest first; the search looks at the names of pipelines. A station alone sees its own."""
    return service.list_executions(context, asking, wanted, paging)


@router.post(
    "",
    summary="Run a pipeline",
    status_code=202,
    openapi_extra=_FORM,
    responses={400: {}, 404: {}, 409: {}, 413: {}, 422: {}, 500: {}},
)
@takes_up_to("max_execution_bytes")
async def create_execution(
    request: Request,
    asking: Running,
    context: Context,
    answer: Answered,
    key: Annotated[
        str | None,
        Header(
            alias=HEADER,
            min_length=1,
            max_length=LONGEST,
            pattern=PATTERN,
            description="The same request with the same key is one execution.",
        ),
    ] = None,
) -> ExecutionAccepted:
    """Answers as soon as the files are stored; progress arrives at `/ws/execution/{execution_id}`."""
    light_request()
    checked: tuple[ResolvedPipeline, dict[str, Any]] | None = None

    async def check(draft: Draft) -> None:
        nonlocal checked
        # What pipelines need is loaded with the first one, which takes long.
        if knows_pipelines() and draft.is_quick():
            found = await read_quickly(Lane.READS, context, service.check_draft, context, draft)
        else:
            found = await run_on(Lane.READS, service.check_draft, context, draft)
        checked = found, draft.parameters

    def accept() -> ExecutionAccepted:
        require_total(intake.draft, context.settings)
        # Parameters that came after the files are checked with the execution.
        resolved = checked[0] if checked is not None and checked[1] is intake.draft.parameters else None
        runs_here = context.settings.slots > 0
        return service.accept(context, asking, intake.draft, key, runs_here=runs_here, resolved=resolved)

    intake = Intake(context.settings, context.objects, check, functools.partial(run_on, Lane.WRITES))
    most_parts = context.settings.max_execution_files + _FIELDS
    await _take(intake, aiter(form_parts(request, most_parts)))
    reply = await intake.finish(accept)
    answer.accepted(f"/executions/{reply.execution_id}")
    return reply


@router.get("/{execution_id}", summary="One execution")
def get_execution(
    execution_id: NamedId, asking: Asking, context: Context, answer: Read, language: Language = None
) -> ExecutionDetail:
    """Status, progress, steps and output files as they are now. A station alone sees its own."""
    return answer.of(service.state_of(context, asking, execution_id, choose_language(language)))


@router.post("/{execution_id}/cancel", summary="Cancel an execution", responses={409: {}})
def cancel_execution(
    execution_id: NamedId, asking: Running, context: Context, answer: Answered, language: Language = None
) -> ExecutionDetail:
    """One that waits ends at once, one that runs within a second; 409 when it has ended otherwise.

    By the person who started it, a supervisor or an administrator; one that a machine started by anybody.
    """
    return answer.of(service.cancel(context, asking, execution_id, choose_language(language)))


async def _take(intake: Intake, events: AsyncIterator[PartEvent]) -> None:
    async def pieces() -> bytes | None:
        event = await anext(events)
        if isinstance(event, PartEnds):
            return None
        if isinstance(event, PartBegins):
            raise TypeError("a part begins within a part")
        return event

    async for begin in events:
        if not isinstance(begin, PartBegins):
            raise TypeError("a form begins with a part")
        if begin.name == FILES:
            await intake.file(begin.filename or "", pieces)
        elif begin.filename is not None:
            raise rejected(begin.name, "value-extra-forbidden")
        else:
            await intake.field(begin.name, pieces)
