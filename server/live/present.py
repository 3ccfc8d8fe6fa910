"""The present state of an execution: what a client that connects is sent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from models.errors import NotFound
from models.states import ExecutionStatus
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.executions import repository
from server.executions.schemas import ExecutionStep, OutputFile
from server.sessions.rules import only_device


@dataclass(frozen=True, slots=True)
class PresentState:
    """An execution as it is now.

    Attributes:
        execution_id: of the execution.
        status: of the execution.
        fencing_token: of the last claim.
        progress: percent.
        attempts: how often a worker has begun.
        started_at: when the first of them did.
        file_count: input files of one that runs.
        steps: of such a one, those that have begun.
        total_time_ms: of an ended execution.
        output_files: of a completed one.
        error_code: of a failed one.
        error_values: what the text of the error names, as ``stored_values`` gives it.
    """

    execution_id: str
    status: ExecutionStatus
    fencing_token: int = 0
    progress: float = 0.0
    attempts: int = 0
    started_at: datetime | None = None
    file_count: int = 0
    steps: Sequence[ExecutionStep] = ()
    total_time_ms: float | None = None
    output_files: Sequence[OutputFile] = ()
    error_code: str | None = None
    error_values: Mapping[str, Any] = field(default_factory=dict)


def present_state(context: ServerContext, who: Principal, execution_id: str) -> PresentState:
    """Return an execution as it is now.

    Args:
        context: the server's parts.
        who: who asks; a station alone sees its own.
        execution_id: of the execution.

    Raises:
        NotFound: ``execution-not-found``; also for one that ``who`` may not read.
    """
    with context.database.connection() as connection:
        row = _row(connection, who, execution_id)
    if row.status not in {ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED}:
        return _state(execution_id, row)
    # Read anew in one version of the store with what belongs to it, of which it must not be older or newer.
    with context.database.read() as session:
        connection = session.connection()
        row = _row(connection, who, execution_id)
        if row.status is ExecutionStatus.COMPLETED:
            return _state(execution_id, row, output_files=repository.outputs_on(connection, execution_id))
        if row.status is ExecutionStatus.RUNNING:
            runs = repository.begun_runs(connection, execution_id)
            return _state(execution_id, row, steps=repository.steps_of(runs), file_count=len(runs))
    return _state(execution_id, row)


def _row(connection: Connection, who: Principal, execution_id: str) -> Any:
    row = repository.watched_columns(connection, execution_id)
    if row is None or only_device(who) not in {None, row.device_id}:
        raise NotFound("execution-not-found")
    return row


def _state(execution_id: str, row: Any, **further: Any) -> PresentState:
    return PresentState(
        execution_id=execution_id,
        status=row.status,
        fencing_token=row.fencing_token,
        progress=row.progress,
        attempts=row.attempts,
        started_at=row.started_at,
        total_time_ms=row.processing_time_ms,
        error_code=row.error_code,
        error_values=row.error_values,
        **further,
    )
