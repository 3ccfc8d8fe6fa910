"""How far an execution is, for its clients and for its record."""

from __future__ import annotations

import time
from typing import Any

from inspection.components.registry import components
from inspection.pipeline.runner import StepProgress
from models.clock import utc_now
from models.states import ExecutionStatus
from server.events.bus import EventBus
from server.executions.events import PIPELINE_PROGRESS, ExecutionEvent
from server.executions.jobs import Job
from server.executions.rules import percent, remaining_ms


class JobProgress:
    """Collects the progress of one execution and publishes it.

    Args:
        bus: gets the events.
        job: the execution.

    Attributes:
        position: of the file that runs.
        steps: of the run on it, as ``ExecutionRun.steps``.
        file_percent: of the run on it.
    """

    def __init__(self, bus: EventBus, job: Job) -> None:
        self._bus = bus
        self._job = job
        self._began = time.perf_counter()
        self._files_done = job.file_count - len(job.files)
        self._steps: dict[str, dict[str, Any]] = {}
        self.position = 0
        self.file_percent = 0.0

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of the present run that have begun."""
        return list(self._steps.values())

    @property
    def overall(self) -> float:
        """Percent of the whole execution."""
        return round((100.0 * self._files_done + self.file_percent) / self._job.file_count, 1)

    def begin_file(self, position: int) -> None:
        """Begin with the next file."""
        self.position, self.file_percent = position, 0.0
        self._steps = {}

    def end_file(self) -> None:
        """Count a file that has ended."""
        self._files_done += 1
        self.file_percent = 0.0

    def report(self, step: StepProgress, milliseconds: float) -> None:
        """Take and publish that a step begins or has ended."""
        title = components()[step.component].title
        self._steps[step.step_id] = {
            "step_id": step.step_id,
            "component": step.component,
            "component_title": title,
            "status": step.status,
            "milliseconds": round(milliseconds, 2) if step.status == "completed" else None,
        }
        self.file_percent = percent(step.done, step.total)
        elapsed_ms = round((time.perf_counter() - self._began) * 1000, 1)
        event = ExecutionEvent(
            execution_id=self._job.claim.execution_id,
            status=ExecutionStatus.RUNNING,
            timestamp=utc_now(),
            fencing_token=self._job.claim.fencing_token,
            file_index=self.position,
            file_count=self._job.file_count,
            step_id=step.step_id,
            step_status=step.status,
            component=step.component,
            component_title=title,
            progress=self.overall,
            elapsed_time_ms=elapsed_ms,
            estimated_remaining_ms=remaining_ms(elapsed_ms, self.overall),
        )
        self._bus.publish(PIPELINE_PROGRESS, self._job.claim.execution_id, event)
