"""What executions publish."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from models.states import ExecutionStatus
from server.events.topics import Topic
from server.executions.schemas import OutputFile
from sync.shared.schemas import Id, Moment, Reply


class ExecutionEvent(Reply):
    """A change of an execution's status, or progress of one that runs.

    Attributes:
        status: of the execution; the event is progress when ``step_id`` is there, else a change of the status.
        fencing_token: of the claim that it comes from; an event with a smaller one than one before is out of date.
        file_index: place of the input file.
        file_count: input files of the execution.
        step_id: of the step that begins or has ended.
        step_status: ``running`` or ``completed``.
        component: of the step.
        component_title: for people.
        progress: percent, of the whole execution.
        elapsed_time_ms: since the execution was started.
        estimated_remaining_ms: from the time that the steps so far have taken; None before the first has ended.
        total_time_ms: of an ended execution.
        output_files: of a completed execution.
        error_code: of a failed one.
        error_values: what the text of the error names, as ``stored_values`` gives it.
    """

    execution_id: Id
    status: ExecutionStatus
    timestamp: Moment
    fencing_token: int = 0
    file_index: int = 0
    file_count: int = 1
    step_id: str | None = None
    step_status: str | None = None
    component: str | None = None
    component_title: str | None = None
    progress: float = 0.0
    elapsed_time_ms: float = 0.0
    estimated_remaining_ms: float | None = None
    total_time_ms: float | None = None
    output_files: list[OutputFile] = Field(default_factory=list)
    error_code: str | None = None
    error_values: dict[str, Any] = Field(default_factory=dict)


class ExecutionRequest(Reply):
    """An execution that a worker of the group has to run; everything else is in the database."""

    execution_id: Id


def is_accepted(event: ExecutionEvent) -> bool:
    """Return whether an event says that an execution waits for a worker."""
    return event.status is ExecutionStatus.PENDING


def _may_wait(event: ExecutionEvent) -> bool:
    """Return whether an event is one of many on the way: progress, or that an execution has begun."""
    return event.step_id is not None or event.status is ExecutionStatus.RUNNING


PIPELINE_PROGRESS = Topic("pipeline-progress", ExecutionEvent, may_wait=_may_wait)
"""Progress of executions; the key is the execution's id."""
WORKERS = "image-processing-workers"
"""The consumer group of the workers."""
PROCESSING_REQUESTS = Topic("image-processing-requests", ExecutionRequest, groups=(WORKERS,))
"""Executions that the direct path could not take; the key is the execution's id."""
