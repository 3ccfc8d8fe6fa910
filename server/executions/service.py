"""Executions: accepted, listed, read, cancelled; one unit of work a call."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.error_values import read_values
from models.errors import DoesNotFit, NotFound, Unavailable, UserFacingError
from models.executions import Execution, ExecutionRun
from models.insertion import insert_new, new_row
from models.messages import Language, error_text
from models.states import EXECUTION_ENDED, ExecutionMode, ExecutionStatus
from models.sync import StoredFile
from server.audit import audited, differences, made
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.paging import PageQuery
from server.core.retry_after import UNAVAILABLE_S
from server.core.structlog_import import structlog
from server.events.outbox import enqueue
from server.executions import repository
from server.executions.announcing import announce, announce_acceptance
from server.executions.events import PROCESSING_REQUESTS, ExecutionRequest
from server.executions.intake import Draft, require_complete
from server.executions.leases import end_now, store_now
from server.executions.pipelines import ResolvedPipeline, is_present, resolve
from server.executions.repository import ExecutionFilter
from server.executions.rules import require_may_cancel
from server.executions.schemas import ExecutionAccepted, ExecutionDetail, ExecutionError, ExecutionReply
from server.files.rows import file_values
from server.objects.records import record_blobs
from server.services.service import usable_models
from server.sessions.rules import only_device
from sync.shared.problems import RETRY_AFTER
from sync.shared.schemas import Page

_log = structlog.get_logger("imageflow.server")


def check_draft(context: ServerContext, draft: Draft) -> ResolvedPipeline:
    """Return the pipeline that a request asks to run, checked before the request's files are taken.

    Raises:
        UserFacingError: as ``resolve``.
    """
    with context.database.connection() as connection:
        return resolve(connection, draft.pipeline_id, draft.parameters, partial(other_models, context))


def other_models(context: ServerContext) -> Collection[str]:
    """Return the names of the models in the server's settings that can be used."""
    return usable_models(context.services, context.models)


def accept(
    context: ServerContext,
    who: Principal,
    draft: Draft,
    key: str | None,
    *,
    runs_here: bool,
    resolved: ResolvedPipeline | None = None,
) -> ExecutionAccepted:
    """Record an execution, from which moment it has exactly one end, and return it.

    Args:
        context: the server's parts.
        who: who asks.
        draft: the request; its files are in the object store.
        key: of the request; the same request with the same key is one execution.
        runs_here: whether server processes run executions; else the request goes to the workers over the bus.
        resolved: what ``check_draft`` gave, unless the draft's parameters have come since.

    Raises:
        InvalidInput: ``validation-error``.
        NotFound: ``pipeline-not-found``.
        DoesNotFit: as ``resolve``; ``idempotency-key-used`` when the key belongs to another request.
        UserFacingError: ``execution-not-accepted``, 500, when the store cannot take it; nothing of it is kept then.
    """
    require_complete(draft)
    try:
        accepted, new = _accept(context, who, draft, key, resolved, runs_here=runs_here)
    except IntegrityError:
        # The same request at the same moment: the other one was first.
        accepted, new = _accept(context, who, draft, key, resolved, runs_here=runs_here)
    except Unavailable as error:
        _log.warning("execution not accepted", cause=error.code)
        raise UserFacingError("execution-not-accepted", members={RETRY_AFTER: UNAVAILABLE_S}) from error
    if new:
        if not runs_here:
            context.outbox.wake()
        announce_acceptance(context.events, accepted.execution_id)
    return accepted


def _accept(
    context: ServerContext,
    who: Principal,
    draft: Draft,
    key: str | None,
    resolved: ResolvedPipeline | None,
    *,
    runs_here: bool,
) -> tuple[ExecutionAccepted, bool]:
    digest = _digest(draft)
    with context.database.local_transaction(who.user_id) as session:
        known = repository.by_key(session, who.username, key)
        if known is not None:
            if known.request_digest != digest:
                raise DoesNotFit("idempotency-key-used")
            return _accepted(known.id, known.status, known.execution_mode), False
        # The files took a while to come: the pipeline may have been changed or deleted since.
        connection = session.connection()
        found = resolved if resolved is not None and is_present(connection, resolved) else None
        if found is None:
            found = resolve(connection, draft.pipeline_id, draft.parameters, partial(other_models, context))
        mode = ExecutionMode.DIRECT_GRPC if runs_here else ExecutionMode.KAFKA_FALLBACK
        row = new_row(
            Execution,
            pipeline_id=found.record.id,
            pipeline_name=found.record.name,
            pipeline_version=found.record.version,
            definition=found.definition,
            parameters=draft.parameters,
            criteria=found.criteria,
            priority=draft.priority,
            rank=draft.priority.rank,
            execution_mode=mode,
            user_id=who.user_id,
            created_by=who.username,
            device_id=who.device_id,
            idempotency_key=key,
            request_digest=digest,
        )
        execution_id: str = row["id"]
        insert_new(session, Execution, [row])
        _add_files(session, who, draft, execution_id)
        if not runs_here:
            enqueue(session, PROCESSING_REQUESTS, execution_id, ExecutionRequest(execution_id=execution_id))
        content = {
            "pipeline_id": found.record.id,
            "parameters": draft.parameters,
            "priority": draft.priority,
            "files": len(draft.files),
        }
        audited(session, who, "execution.created", "execution", execution_id, changes=made(content))
    return _accepted(execution_id, ExecutionStatus.PENDING, mode), True


def _accepted(execution_id: str, status: ExecutionStatus, mode: ExecutionMode) -> ExecutionAccepted:
    return ExecutionAccepted(execution_id=execution_id, status=status, execution_mode=mode)


def _add_files(session: Session, who: Principal, draft: Draft, execution_id: str) -> None:
    record_blobs(session, [(image.sha256, image.size, image.content_type) for image in draft.files])
    files = [new_row(StoredFile, **file_values(image, who.user_id)) for image in draft.files]
    insert_new(session, StoredFile, files)
    runs = [
        new_row(ExecutionRun, execution_id=execution_id, position=at, file_id=file["id"])
        for at, file in enumerate(files)
    ]
    insert_new(session, ExecutionRun, runs)


def list_executions(
    context: ServerContext, who: Principal, wanted: ExecutionFilter, paging: PageQuery
) -> Page[ExecutionReply]:
    """Return a page of the executions that ``who`` may read, newest first."""
    with context.database.read() as session:
        return repository.page(session, wanted, paging, only_device(who))


def state_of(context: ServerContext, who: Principal, execution_id: str, language: Language = "en") -> ExecutionDetail:
    """Return an execution with its files and steps as they are now.

    Args:
        context: the server's parts.
        who: who asks; a station alone sees its own.
        execution_id: of the execution.
        language: of the reason of a failure.

    Raises:
        NotFound: ``execution-not-found``; also for one that ``who`` may not read.
    """
    with context.database.read() as session:
        record = repository.columns_of(session, execution_id)
        if only_device(who) not in {None, record.device_id}:
            raise NotFound("execution-not-found")
        return _detail(session, record, language)


def cancel(context: ServerContext, who: Principal, execution_id: str, language: Language = "en") -> ExecutionDetail:
    """Cancel an execution and return it: one that waits ends at once, one that runs within a second.

    Raises:
        NotFound: ``execution-not-found``.
        PermissionDenied: ``execution-of-another``.
        Conflict: ``execution-ended``.
    """
    with context.database.local_transaction(who.user_id) as session:
        record = repository.execution_by_id(session, execution_id, locked=True)
        require_may_cancel(status=record.status, starter=record.user_id, role=who.role, user_id=who.user_id)
        asked = record.status not in EXECUTION_ENDED and record.cancel_requested_at is None
        if asked:
            now = store_now(session)
            record.cancel_requested_at = now
            if record.status is ExecutionStatus.PENDING:
                record.fencing_token += 1
                end_now(record, ExecutionStatus.CANCELLED, now)
                repository.end_runs(session, record)
            session.flush()
            changes = differences({}, {"cancel_requested_at": now})
            audited(session, who, "execution.cancelled", "execution", record.id, changes=changes)
        detail = _detail(session, record, language)
    if asked and record.status is ExecutionStatus.CANCELLED:
        announce(context.events, record)
    return detail


def _detail(session: Session, record: Any, language: Language) -> ExecutionDetail:
    runs = repository.runs_of(session, record.id)
    begun = record.started_at is not None or record.status is not ExecutionStatus.PENDING
    return ExecutionDetail(
        **repository.reply(record).model_dump(),
        parameters=record.parameters,
        attempts=record.attempts,
        input_files=repository.input_files(runs),
        steps=repository.steps_of(runs),
        output_files=repository.outputs_of(session, record.id) if begun else [],
        error=_error(record, language),
    )


def _error(record: Any, language: Language) -> ExecutionError | None:
    if record.error_code is None:
        return None
    values = read_values(record.error_values)
    text = error_text(record.error_code, values, language, for_client=True)
    return ExecutionError(
        code=record.error_code, message=text.detail, advice=text.advice, retry_after=values.get(RETRY_AFTER)
    )


def _digest(draft: Draft) -> str:
    """Return what a request with a known key must repeat, as a digest."""
    files = [[image.sha256, image.filename] for image in draft.files]
    content = [draft.pipeline_id, draft.parameters, draft.priority.value, files]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
