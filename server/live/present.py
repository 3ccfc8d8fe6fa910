"""The present state of an execution, as much of it as its client is told first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
        progress: percent.
        attempts: how often a worker has begun.
        started_at: when the first of them did.
        file_count: input files of one that a worker has begun and none has ended.
        steps: of such a one, those that have begun.
        total_time_ms: of an ended execution.
        output_files: of a completed one.
        error_code: of a failed one.
        error_values: what the text of the error names, as ``stored_values`` gives it.
    """

    execution_id: str
    status: ExecutionStatus
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
    steps: Sequence[ExecutionStep] = ()
    output_files: Sequence[OutputFile] = ()
    file_count = 0
    # No transaction: what is read after the row is as new as the row or newer, and events tell of everything since.
    with context.database.connection() as connection:
        row = repository.watched_columns(connection, execution_id)
        if row is None or only_device(who) not in {None, row.device_id}:
            raise NotFound("execution-not-found")
        if row.status is ExecutionStatus.COMPLETED:
            output_files = repository.outputs_on(connection, execution_id)
        elif row.status is ExecutionStatus.RUNNING or (row.status is ExecutionStatus.PENDING and row.attempts):
            runs = repository.begun_runs(connection, execution_id)
            steps, file_count = repository.steps_of(runs), len(runs)
    return PresentState(
        execution_id=execution_id,
        status=row.status,
        progress=row.progress,
        attempts=row.attempts,
        started_at=row.started_at,
        file_count=file_count,
        steps=steps,
        total_time_ms=row.processing_time_ms,
        output_files=output_files,
        error_code=row.error_code,
        error_values=row.error_values,
    )
