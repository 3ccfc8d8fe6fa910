"""Executions on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.states import ExecutionMode, ExecutionStatus, OutputKind, Priority, Verdict
from sync.shared.schemas import Id, JsonObject, Moment, Reply

Percent = Field(ge=0, le=100, description="Percent.")


class ExecutionAccepted(Reply):
    """The answer to a request for an execution."""

    execution_id: Id
    status: ExecutionStatus
    execution_mode: ExecutionMode


class ExecutionReply(Reply):
    """An execution as it is now."""

    execution_id: Id
    pipeline_id: Id
    pipeline_name: str
    pipeline_version: int
    status: ExecutionStatus
    execution_mode: ExecutionMode
    priority: Priority
    progress: float = Percent
    processing_time_ms: float | None = Field(description="From its first start to its end.")
    created_by: str
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None


class ExecutionStep(Reply):
    """A step of a run that has begun."""

    file_index: int = Field(ge=0, description="Place of the input file in the request.")
    step_id: str
    component: str
    component_title: str = Field(description="Its name for people.")
    status: Literal["running", "completed", "failed", "cancelled"] = Field(
        description="failed or cancelled: the run ended so before the step did."
    )
    milliseconds: float | None = Field(description="How long it took; null when it has not completed.")


class OutputFile(Reply):
    """A file that came out of an execution."""

    file_id: Id
    file_index: int = Field(ge=0, description="Place of the input file in the request.")
    output_kind: OutputKind
    filename: str
    content_type: str
    size: int = Field(ge=0, description="Bytes.")
    sha256: str
    download_url: str


class InputFile(Reply):
    """An input file and how far the run on it is."""

    file_index: int = Field(ge=0, description="Place of the file in the request.")
    file_id: Id
    filename: str
    status: ExecutionStatus
    progress: float = Percent
    verdict: Verdict | None


class ExecutionError(Reply):
    """Why an execution failed, in the language of the client."""

    code: str
    message: str
    advice: str
    retry_after: int | None = Field(default=None, description="Seconds after which the same request may succeed.")


class ExecutionDetail(ExecutionReply):
    """An execution with its files and steps."""

    parameters: JsonObject
    attempts: int = Field(ge=0, description="How often a worker has begun.")
    input_files: list[InputFile]
    steps: list[ExecutionStep]
    output_files: list[OutputFile]
    error: ExecutionError | None
