"""Messages of the WebSockets about executions and the system, as the API document has them, made of events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from models.clock import rfc3339, utc_now
from models.error_values import read_values
from models.messages import Language
from models.states import EXECUTION_ENDED, ExecutionStatus
from server.core.websocket_messages import error_message
from server.executions.events import ExecutionEvent
from server.executions.rules import remaining_ms
from server.executions.schemas import ExecutionStep, OutputFile
from server.live.present import PresentState
from sync.shared.schemas import Id, Reply


class Completed(Reply):
    """An execution has completed."""

    type: Literal["completed"] = "completed"
    execution_id: Id
    total_time_ms: float
    output_files: list[OutputFile]


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

Message = BaseModel | Mapping[str, Any]
"""Those that a client gets for each step of an execution are plain values: a model takes twice as long."""


def execution_update(execution_id: str, status: ExecutionStatus) -> Message:
    """Return the message that the status of an execution has changed."""
    return {"type": "execution_update", "execution_id": execution_id, "status": status.value}


def _progress(
    execution_id: str,
    step: str,
    progress: float,
    at: datetime,
    component: str,
    elapsed_ms: float,
    left_ms: float | None,
    file_index: int,
    file_count: int,
) -> Message:
    """Return the message of how far an execution is."""
    data: dict[str, Any] = {"current_component": component, "elapsed_time_ms": elapsed_ms}
    if left_ms is not None:
        data["estimated_remaining_ms"] = left_ms
    data["file_index"] = file_index
    data["file_count"] = file_count
    return {
        "type": "progress",
        "execution_id": execution_id,
        "step": step,
        "progress": progress,
        "status": "processing",
        "timestamp": rfc3339(at),
        "data": data,
    }


def messages_of_event(event: ExecutionEvent, language: Language) -> list[Message]:
    """Return what the client of an execution gets for an event: progress, or a change of status and what it means."""
    if event.step_id is not None:
        component = event.component_title or event.component or ""
        return [
            _progress(
                event.execution_id,
                event.step_id,
                event.progress,
                event.timestamp,
                component,
                event.elapsed_time_ms,
                event.estimated_remaining_ms,
                event.file_index,
                event.file_count,
            )
        ]
    update = execution_update(event.execution_id, event.status)
    if event.status is ExecutionStatus.COMPLETED:
        total_ms = event.total_time_ms or 0.0
        completed = Completed(execution_id=event.execution_id, total_time_ms=total_ms, output_files=event.output_files)
        return [update, completed]
    if event.status is ExecutionStatus.FAILED and event.error_code is not None:
        values = read_values(event.error_values)
        return [update, error_message(event.error_code, values, language, event.execution_id)]
    return [update]


def messages_of_state(state: PresentState, language: Language, now: datetime | None = None) -> list[Message]:
    """Return what a client gets first: the status, and progress, outputs or the error that belong to it."""
    messages: list[Message] = [execution_update(state.execution_id, state.status)]
    if state.status is ExecutionStatus.COMPLETED:
        total_ms = state.total_time_ms or 0.0
        outputs = list(state.output_files)
        messages.append(Completed(execution_id=state.execution_id, total_time_ms=total_ms, output_files=outputs))
    elif state.status is ExecutionStatus.FAILED and state.error_code is not None:
        values = read_values(state.error_values)
        messages.append(error_message(state.error_code, values, language, state.execution_id))
    elif state.status is ExecutionStatus.RUNNING and state.steps:
        messages.append(_progress_of(state, state.steps[-1], now or utc_now()))
    return messages


def _progress_of(state: PresentState, step: ExecutionStep, now: datetime) -> Message:
    began = state.started_at or now
    elapsed_ms = max(0.0, (now - began).total_seconds() * 1000)
    return _progress(
        state.execution_id,
        step.step_id,
        state.progress,
        now,
        step.component_title,
        elapsed_ms,
        remaining_ms(elapsed_ms, state.progress),
        step.file_index,
        state.file_count,
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

    def take_state(self, state: PresentState) -> bool:
        """Note the state that the client is sent, and return whether anything of it is new."""
        self._take_token(state.fencing_token)
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
        self._take_token(event.fencing_token)
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

    def _take_token(self, token: int) -> None:
        if self._token is not None and token > self._token:
            self._steps.clear()  # Another worker begins again.
        self._token = token if self._token is None else max(self._token, token)
