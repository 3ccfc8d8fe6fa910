"""AI results of parts: recorded with a session when an execution has ended, or only made of one's output."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from models.clock import utc_now
from models.error_values import read_values
from models.errors import Conflict, DoesNotFit, Unavailable
from models.inspected import items_left
from models.results import InspectionResult
from models.sessions import AIResult, ImageRecord, InspectionSession
from models.states import ExecutionStatus, ImageKind, SessionStatus
from models.targets import InspectionItem
from server.ai_inspection.beginning import Begun
from server.ai_inspection.outputs import RunOutput, output_of
from server.ai_inspection.rules import in_context, require_inspectable, trouble_of
from server.ai_inspection.schemas import AiInspectionCreate, AiInspectionReply, AiVerdict, ConversionRequest
from server.audit import SERVER_DEVICE, audited, differences
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.executions import repository as executions
from server.masters.repository import alive
from server.sessions.repository import session_by_id
from server.sessions.rules import Action, require_may
from server.sessions.schemas import SessionReply
from server.sessions.service import owner_of, publish, step
from sync.shared.item_records import ItemRecords


def known_result(
    context: ServerContext, who: Principal, session_id: str, body: AiInspectionCreate
) -> AiInspectionReply | None:
    """Return the result that an earlier, equal request has recorded; None when the request is new.

    Raises:
        PermissionDenied: as ``require_may``.
        NotFound: ``inspection-session-unknown``.
        Conflict: ``id-taken`` when the id belongs to the result of another item or session.
    """
    if body.id is None:
        return None
    with context.database.read() as session:
        record = session_by_id(session, session_id)
        require_may(who, Action.ATTACH, owner_of(record))
        found = session.get(AIResult, body.id)
        if found is None:
            return None
        if (found.session_id, found.item_id) != (session_id, body.item_id):
            raise Conflict("id-taken", id=found.id)
        return _reply(found)


def record_result(context: ServerContext, who: Principal, begun: Begun, result_id: str | None) -> AiInspectionReply:
    """Record image, heatmap and result of an execution that has ended with its session, and return the result.

    A session that waits begins with it; with the last required item it becomes ``AI_COMPLETED``.

    Raises:
        PermissionDenied: as ``require_may``.
        Conflict: ``session-over``; ``ai-inspection-cancelled``.
        DoesNotFit: with the member ``inspection_context``, when the image or a model did not fit.
        Unavailable: when the server could not run it.
    """
    with context.database.read() as session:
        execution = executions.execution_by_id(session, begun.execution_id)
        trouble = trouble_of(execution.status, execution.error_code, read_values(execution.error_values))
        files = executions.outputs_of(session, begun.execution_id)
    if isinstance(trouble, DoesNotFit):
        raise in_context(trouble, begun.session_id, begun.item_id, begun.pipeline_id)
    if trouble is not None:
        raise trouble
    output = output_of(context, files, 0)
    with context.database.transaction(who.user_id) as session:
        record = session_by_id(session, begun.session_id)
        require_may(who, Action.ATTACH, owner_of(record))
        known = session.get(AIResult, result_id) if result_id else None
        if known is not None:
            return _reply(known)
        require_inspectable(record.status)
        before = record.status
        result = _add(session, who, record, begun, output, result_id)
        _advance(session, record)
        detail = {"ai_result_id": result.id, "item_id": begun.item_id, "verdict": result.overall_result.value}
        changes = differences({"status": before}, {"status": record.status})
        found = {**detail, "execution_id": begun.execution_id, "changes": changes}
        audited(session, who, "session.ai-inspected", "inspection_session", record.id, **found)
        session.flush()
        reply, now = _reply(result), SessionReply.model_validate(record)
    if now.status is not before:
        publish(context, now)
    return reply


def convert(context: ServerContext, body: ConversionRequest) -> AiInspectionReply:
    """Return what an execution found on a file, judged by the criteria of an item; nothing is recorded.

    Raises:
        NotFound: ``execution-not-found``, ``item-not-found``, ``execution-output-unknown``.
        Conflict: ``execution-not-completed``.
        DoesNotFit: with the member ``inspection_context``, when the pipeline does not fit the item.
        Unavailable: ``objects-unreachable``.
    """
    from inspection.recipe.conversion import judge_again
    from inspection.recipe.reading import recipe_of_source
    from inspection.recipe.recipe import ItemSource

    with context.database.read() as session:
        execution = executions.execution_by_id(session, body.execution_id)
        item = alive(session, InspectionItem, body.item_id)
        files = executions.outputs_of(session, execution.id)
        if execution.status not in {ExecutionStatus.COMPLETED, ExecutionStatus.FAILED}:
            raise Conflict("execution-not-completed", status=execution.status.value)
        source = ItemSource(item.name, execution.definition, {}, item.criteria)
        try:
            recipe = recipe_of_source(item, source, ItemRecords(session))
        except DoesNotFit as error:
            raise in_context(error, None, item.id, execution.pipeline_id) from error
        version, ended = execution.pipeline_version, execution.ended_at
    output = output_of(context, files, body.file_index)
    judged = judge_again(output.result, recipe)
    heatmap_id = output.heatmap.file_id if output.heatmap else None
    return AiInspectionReply(
        ai_result=_verdict(judged, None, heatmap_id),
        processing_time_ms=judged.processing_time_ms,
        pipeline_version=_version(version),
        created_at=ended or utc_now(),
    )


def timed_out(seconds: float) -> Unavailable:
    """Return the error of an inspection that took longer than its client is kept waiting."""
    return Unavailable("ai-inspection-timeout", seconds=seconds)


def _add(
    session: Session, who: Principal, record: InspectionSession, begun: Begun, output: RunOutput, result_id: str | None
) -> AIResult:
    device_id = who.device_id or SERVER_DEVICE
    common: dict[str, Any] = {
        "device_id": device_id,
        "session_id": record.id,
        "item_id": begun.item_id,
        "captured_at": utc_now(),
        "width": begun.image.width,
        "height": begun.image.height,
    }
    image_id = begun.image_id
    if image_id is None:
        image = ImageRecord(
            **common,
            sha256=begun.image.sha256,
            size_bytes=begun.image.size,
            content_type=begun.image.content_type,
        )
        session.add(image)
        session.flush()
        image_id = image.id
    heatmap = None
    if output.heatmap is not None:
        heatmap = ImageRecord(
            **common,
            image_kind=ImageKind.HEATMAP,
            sha256=output.heatmap.sha256,
            size_bytes=output.heatmap.size,
            content_type=output.heatmap.content_type,
        )
        session.add(heatmap)
        session.flush()
    own: dict[str, Any] = {} if result_id is None else {"id": result_id}
    result = AIResult(
        **own,
        device_id=device_id,
        session_id=record.id,
        item_id=begun.item_id,
        image_id=image_id,
        heatmap_image_id=heatmap.id if heatmap else None,
        pipeline_id=begun.pipeline_id,
        pipeline_version=begun.pipeline_version,
        model_sha256=begun.model_sha256,
        **output.result.recorded(),
    )
    session.add(result)
    session.flush()
    return result


def _advance(session: Session, record: InspectionSession) -> None:
    if record.status is SessionStatus.PENDING:
        step(record, SessionStatus.IN_PROGRESS)
    if record.status is SessionStatus.IN_PROGRESS and not items_left(session, record):
        step(record, SessionStatus.AI_COMPLETED)


def _reply(record: AIResult) -> AiInspectionReply:
    found = InspectionResult.model_validate(
        {name: getattr(record, name) for name in ("overall_result", "confidence", "anomaly_score", "threshold")}
        | {"detections": record.detections, "reasons": record.reasons}
    )
    return AiInspectionReply(
        ai_result=_verdict(found, record.id, record.heatmap_image_id),
        processing_time_ms=record.processing_time_ms,
        pipeline_version=_version(record.pipeline_version or 0),
        created_at=record.created_at,
    )


def _verdict(found: InspectionResult, result_id: str | None, heatmap_id: str | None) -> AiVerdict:
    return AiVerdict(
        id=result_id,
        overall_result=found.overall_result,
        confidence=found.confidence,
        detections=found.detections,
        reasons=found.reasons,
        anomaly_score=found.anomaly_score,
        threshold=found.threshold,
        heatmap_file_id=heatmap_id,
    )


def _version(number: int) -> str:
    return f"v{number}"
