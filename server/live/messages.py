"""Messages of the WebSockets about executions and the system, as the API document has them, made of events."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from models.clock import utc_now
from models.error_values import read_values
from models.messages import Language
from models.states import EXECUTION_ENDED, ExecutionStatus
from server.core.websocket_messages import ErrorDetail, ErrorMessage, error_message, wire_code
from server.executions.events import ExecutionEvent
from server.executions.rules import remaining_ms
from server.executions.schemas import ExecutionDetail, ExecutionStep, OutputFile
from sync.shared.schemas import Id, Moment, Reply


class ProgressData(Reply):
    """Further facts of progress."""

    current_component: str
    elapsed_time_ms: float
    estimated_remaining_ms: float | None = None
    file_index: int
    file_count: int


class Progress(Reply):
    """How far an execution is."""

    type: Literal["progress"] = "progress"
    execution_id: Id
    step: str
    progress: float
    status: Literal["processing"] = "processing"
    timestamp: Moment
    data: ProgressData


class Completed(Reply):
    """An execution has completed."""

    type: Literal["completed"] = "completed"
    execution_id: Id
    total_time_ms: float
    output_files: list[OutputFile]


class ExecutionUpdate(Reply):
    """The status of an execution has changed."""

    type: Literal["execution_update"] = "execution_update"
    execution_id: Id
    status: ExecutionStatus


class ServiceStatus(Reply):
    """The state of a gRPC service."""

    status: Literal["up", "down", "unknown"]
    circuit: Literal["closed", "half_open", "open"]


class SystemStatus(Reply):
    """The state of the server and what it needs."""

    type: Literal["system_status"] = "system_status"
    status: Literal["ok", "down"]
    components: dict[str, Literal["up", "down"]]
    grpc_services: dict[str, ServiceStatus] = Field(default_factory=dict)
    executions: dict[str, int]


_RANKS = {ExecutionStatus.PENDING: 0, ExecutionStatus.RUNNING: 1} | dict.fromkeys(EXECUTION_ENDED, 2)
_STEP_RANKS = {"running": 1, "completed": 2, "failed": 2, "cancelled": 2}

Message = Progress | Completed | ExecutionUpdate | ErrorMessage


def messages_of_event(event: ExecutionEvent, language: Language) -> list[Message]:
    """Return what the client of an execution gets for an event: progress, or a change of status and what it means."""
    if event.step_id is not None:
        return [
            Progress(
                execution_id=event.execution_id,
                step=event.step_id,
                progress=event.progress,
                timestamp=event.timestamp,
                data=ProgressData(
                    current_component=event.component_title or event.component or "",
                    elapsed_time_ms=event.elapsed_time_ms,
                    estimated_remaining_ms=event.estimated_remaining_ms,
                    file_index=event.file_index,
                    file_count=event.file_count,
                ),
            )
        ]
    update = ExecutionUpdate(execution_id=event.execution_id, status=event.status)
    if event.status is ExecutionStatus.COMPLETED:
        total_ms = event.total_time_ms or 0.0
        completed = Completed(execution_id=event.execution_id, total_time_ms=total_ms, output_files=event.output_files)
        return [update, completed]
    if event.status is ExecutionStatus.FAILED and event.error_code is not None:
        values = read_values(event.error_values)
        return [update, error_message(event.error_code, values, language, event.execution_id)]
    return [update]


def messages_of_state(state: ExecutionDetail, now: datetime | None = None) -> list[Message]:
    """Return what a client gets first: the status, and progress, outputs or the error that belong to it."""
    messages: list[Message] = [ExecutionUpdate(execution_id=state.execution_id, status=state.status)]
    if state.status is ExecutionStatus.COMPLETED:
        total_ms = state.processing_time_ms or 0.0
        messages.append(
            Completed(execution_id=state.execution_id, total_time_ms=total_ms, output_files=state.output_files)
        )
    elif state.status is ExecutionStatus.FAILED and state.error is not None:
        error = state.error
        detail = ErrorDetail(
            code=wire_code(error.code), message=error.message, advice=error.advice, retry_after=error.retry_after
        )
        messages.append(ErrorMessage(execution_id=state.execution_id, error=detail))
    elif state.status is ExecutionStatus.RUNNING and state.steps:
        messages.append(_progress_of(state, state.steps[-1], now or utc_now()))
    return messages


def _progress_of(state: ExecutionDetail, step: ExecutionStep, now: datetime) -> Progress:
    began = state.started_at or now
    elapsed_ms = max(0.0, (now - began).total_seconds() * 1000)
    return Progress(
        execution_id=state.execution_id,
        step=step.step_id,
        progress=state.progress,
        timestamp=now,
        data=ProgressData(
            current_component=step.component_title,
            elapsed_time_ms=elapsed_ms,
            estimated_remaining_ms=remaining_ms(elapsed_ms, state.progress),
            file_index=step.file_index,
            file_count=len(state.input_files),
        ),
    )


class Seen:
    """What a client knows of one execution, so that it gets nothing twice and nothing that is out of date."""

    def __init__(self) -> None:
        self._token: int | None = None
        self._rank = -1
        self._steps: dict[tuple[int, str], int] = {}

    @property
    def ended(self) -> bool:
        """Whether the client knows of the execution's end."""
        return self._rank == _RANKS[ExecutionStatus.COMPLETED]

    def take_state(self, state: ExecutionDetail) -> bool:
        """Note the state that the client is sent, and return whether anything of it is new."""
        rank = _RANKS[state.status]
        steps = {(step.file_index, step.step_id): _STEP_RANKS[step.status] for step in state.steps}
        news = rank > self._rank or any(new > self._steps.get(step, 0) for step, new in steps.items())
        self._rank = max(rank, self._rank)
        self._steps |= {step: max(new, self._steps.get(step, 0)) for step, new in steps.items()}
        return news

    def take_event(self, event: ExecutionEvent) -> bool:
        """Note an event, and return whether it is news for the client."""
        if self.ended or (self._token is not None and event.fencing_token < self._token):
            return False
        if self._token is not None and event.fencing_token > self._token:
            self._steps.clear()  # Another worker begins again.
        self._token = event.fencing_token
        if event.step_id is None:
            rank = _RANKS[event.status]
            news = rank > self._rank
            self._rank = max(rank, self._rank)
            return news
        step, rank = (event.file_index, event.step_id), _STEP_RANKS.get(event.step_status or "", 0)
        news = rank > self._steps.get(step, 0)
        if news:
            self._steps[step] = rank
        return news
