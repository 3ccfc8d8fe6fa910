"""The messages of the WebSocket: control in, findings and statistics out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.clock import utc_now
from models.errors import InvalidInput
from models.messages import Language
from models.rejections import first_problem
from models.results import Detection
from models.states import Verdict
from server.camera_stream.frames import (
    ArchivedFrame,
    ArchiveReason,
    Output,
    ProcessedFrame,
    StreamState,
    StreamStatus,
    StreamTrouble,
)
from server.camera_stream.pace import MOST_FPS
from server.camera_stream.statistics import StreamStats
from server.camera_stream.stream import LEAST_FPS, LONGEST_SOURCE_ID, CameraStream
from server.core.websocket_messages import ErrorMessage, message_of_error
from sync.shared.schemas import Id, Moment, Reply

LONGEST_CONTROL = 4_096
"""Bytes of a control message."""
_LONGEST_ID = 200

Moves = Literal["start", "pause", "stop"]
PipelineName = Annotated[str, Field(min_length=1, max_length=_LONGEST_ID)]
SourceName = Annotated[str, Field(min_length=1, max_length=LONGEST_SOURCE_ID)]
SourceRate = Annotated[float | None, Field(ge=LEAST_FPS, le=MOST_FPS, description="Frames a second of the source.")]


class _Control(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Start(_Control):
    """Let frames through a pipeline; what is left out stays as it was."""

    type: Literal["start"]
    source_id: SourceName | None = None
    pipeline_id: PipelineName | None = None
    fps: SourceRate = None


class Pause(_Control):
    """Pass frames over until the next start."""

    type: Literal["pause"]


class Stop(_Control):
    """Pass frames over and forget the pipeline."""

    type: Literal["stop"]


class SetPipeline(_Control):
    """Switch to another pipeline without losing the stream."""

    type: Literal["set_pipeline"]
    pipeline_id: PipelineName


class Archive(_Control):
    """Archive the next frame that is processed."""

    type: Literal["archive"]


Control = Start | Pause | Stop | SetPipeline | Archive
_CONTROLS: TypeAdapter[Control] = TypeAdapter(Annotated[Control, Field(discriminator="type")])


def follow(stream: CameraStream, control: Control) -> None:
    """Do what a control message says.

    Raises:
        InvalidInput: ``stream-no-pipeline``.
    """
    match control:
        case Start(source_id=source_id, pipeline_id=pipeline_id, fps=fps):
            stream.start(source_id or "", pipeline_id or "", fps)
        case Pause():
            stream.pause()
        case Stop():
            stream.stop()
        case SetPipeline(pipeline_id=wanted):
            stream.set_pipeline(wanted)
        case Archive():
            stream.archive_next()


def parse_control(text: str) -> Control:
    """Return a control message.

    Raises:
        InvalidInput: ``stream-control-invalid`` with the field and what is wrong with it.
    """
    try:
        if len(text) > LONGEST_CONTROL:
            raise InvalidInput("stream-control-too-long", limit=LONGEST_CONTROL)
        return _CONTROLS.validate_json(text)
    except ValidationError as error:
        field, reason = first_problem(error)
        whole = "type" if reason.code.startswith("value-union-tag") else "message"
        raise InvalidInput("stream-control-invalid", field=field or whole, reason=reason) from error


class FrameMessage(Reply):
    """What was found on a frame; the next binary message is its picture.

    Attributes:
        frame: its number among the frames that the client has sent, from 1.
        detections: in pixels of the frame.
        archived: why the frame is archived; None when it is not.
    """

    type: Literal["detections"] = "detections"
    frame: int
    source_id: str
    pipeline_id: str
    pipeline_version: int
    timestamp: Moment
    verdict: Verdict
    confidence: float
    anomaly_score: float | None
    threshold: float | None
    reasons: list[str]
    detections: list[Detection]
    processing_time_ms: float
    archived: ArchiveReason | None


class StatsMessage(Reply):
    """The last second of a stream; as ``server.camera_stream.statistics.StreamStats``.

    Attributes:
        fps: frames sent, a second.
        latency_ms: their median.
    """

    type: Literal["stream_stats"] = "stream_stats"
    fps: float
    latency_ms: float | None
    fps_in: float
    latency_p95_ms: float | None
    frames_in: int
    frames_out: int
    dropped: int


class StateMessage(Reply):
    """What the stream does from now on: the first message, and the answer to each control message."""

    type: Literal["stream_state"] = "stream_state"
    status: StreamStatus
    source_id: str
    pipeline_id: str | None
    loading: str | None


class ArchivedMessage(Reply):
    """A frame is in the archive."""

    type: Literal["archived"] = "archived"
    frame: int
    reason: ArchiveReason
    file_id: Id
    sha256: str


class TroubleMessage(ErrorMessage):
    """Something went wrong that does not end the stream.

    Attributes:
        frame: the number of the frame it is about.
    """

    frame: int | None = None


Message = FrameMessage | StatsMessage | StateMessage | ArchivedMessage | TroubleMessage


def message_of(output: Output, language: Language) -> Message:
    """Return what a client is sent of an output."""
    match output:
        case ProcessedFrame():
            return _frame_message(output)
        case StreamStats():
            return stats_message(output)
        case StreamState():
            return StateMessage.model_validate(output)
        case ArchivedFrame():
            return ArchivedMessage.model_validate(output)
        case StreamTrouble(error=error, frame=frame):
            reported = message_of_error(error, language)
            return TroubleMessage(error=reported.error, frame=frame)


def stats_message(stats: StreamStats) -> StatsMessage:
    """Return the message of a stream's statistics."""
    return StatsMessage(
        fps=round(stats.fps_out, 2),
        latency_ms=_rounded(stats.latency_p50_ms),
        fps_in=round(stats.fps_in, 2),
        latency_p95_ms=_rounded(stats.latency_p95_ms),
        frames_in=stats.frames_in,
        frames_out=stats.frames_out,
        dropped=stats.dropped,
    )


def _frame_message(found: ProcessedFrame) -> FrameMessage:
    result = found.image.result
    return FrameMessage(
        frame=found.frame.number,
        source_id=found.source_id,
        pipeline_id=found.pipeline.id,
        pipeline_version=found.pipeline.version,
        timestamp=utc_now(),
        verdict=result.overall_result,
        confidence=result.confidence,
        anomaly_score=result.anomaly_score,
        threshold=result.threshold,
        reasons=result.reasons,
        detections=result.detections,
        processing_time_ms=round(found.image.milliseconds, 1),
        archived=found.archived,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
