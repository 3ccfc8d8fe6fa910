"""Publishes what happens to executions, after the commit that made it so."""

from __future__ import annotations

from collections.abc import Sequence

from models.clock import utc_now
from models.executions import Execution
from models.states import ExecutionStatus
from server.events.bus import EventBus
from server.executions.events import PIPELINE_PROGRESS, ExecutionEvent
from server.executions.results import Ended
from server.executions.schemas import OutputFile


def announce(bus: EventBus, execution: Execution, output_files: Sequence[OutputFile] = ()) -> None:
    """Publish that an execution has the status that its record has.

    Args:
        bus: gets the event.
        execution: the record.
        output_files: of an execution that may have completed.
    """
    event = ExecutionEvent(
        execution_id=execution.id,
        status=execution.status,
        timestamp=utc_now(),
        fencing_token=execution.fencing_token,
        progress=execution.progress,
        total_time_ms=execution.processing_time_ms,
        output_files=list(output_files),
        error_code=execution.error_code,
        error_values=execution.error_values,
    )
    bus.publish(PIPELINE_PROGRESS, execution.id, event)


def announce_acceptance(bus: EventBus, execution_id: str) -> None:
    """Publish that an execution waits for a worker."""
    event = ExecutionEvent(execution_id=execution_id, status=ExecutionStatus.PENDING, timestamp=utc_now())
    bus.publish(PIPELINE_PROGRESS, execution_id, event)


def announce_start(bus: EventBus, execution_id: str, fencing_token: int, file_count: int) -> None:
    """Publish that a worker has begun an execution."""
    event = ExecutionEvent(
        execution_id=execution_id,
        status=ExecutionStatus.RUNNING,
        timestamp=utc_now(),
        fencing_token=fencing_token,
        file_count=file_count,
    )
    bus.publish(PIPELINE_PROGRESS, execution_id, event)


def announce_end(bus: EventBus, execution_id: str, fencing_token: int, ended: Ended) -> None:
    """Publish how an execution has ended."""
    event = ExecutionEvent(
        execution_id=execution_id,
        status=ended.status,
        timestamp=utc_now(),
        fencing_token=fencing_token,
        progress=100.0,
        total_time_ms=ended.total_time_ms,
        output_files=ended.output_files,
        error_code=ended.error_code,
        error_values=ended.error_values,
    )
    bus.publish(PIPELINE_PROGRESS, execution_id, event)
