"""The gRPC face of streams: ``CameraStreamService.ProcessVideoStream``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import InvalidInput, TooManyRequests, UserFacingError
from models.rejections import first_problem
from server.camera_stream.frames import ArchivedFrame, Output, ProcessedFrame, StreamState, StreamTrouble
from server.camera_stream.messages import Moves, PipelineName, SourceName, SourceRate, stats_message
from server.camera_stream.service import CameraStreams
from server.camera_stream.stream import SLOW_CLIENT_S, CameraStream
from server.core.structlog_import import structlog
from server.grpc.detections import as_message
from server.grpc.faults import status_of, trailers_of
from server.grpc.messages import parsed
from server.grpc.stubs import camera_stream_pb2

_log = structlog.get_logger("imageflow.grpc")


class _Metadata(BaseModel):
    """What the metadata of a frame says; keys that are not known are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source_id: SourceName | None = None
    pipeline_id: PipelineName | None = None
    fps: SourceRate = None
    control: Moves | None = Field(default=None, description="What holds from this frame on.")
    archive: bool = False


class StreamCalls:
    """Answers ``ProcessVideoStream``.

    Args:
        streams: of this process.
    """

    def __init__(self, streams: CameraStreams) -> None:
        self._streams = streams

    async def process_video_stream(self, requests: AsyncIterator[bytes], context: Any) -> None:
        """Answer one call; it ends when its client sends no more, goes away, or breaks a rule."""
        try:
            async with self._streams.open() as stream:
                reading = asyncio.create_task(_read(requests, stream))
                try:
                    await _write(stream, context)
                    if reading.done():
                        reading.result()
                finally:
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
        except UserFacingError as error:
            await context.abort(status_of(error), str(error), trailers_of(error))
        except Exception:  # noqa: BLE001 - a bug ends this call, not the service; the log has it whole
            _log.exception("call failed", service="CameraStreamService")
            await context.abort(grpc.StatusCode.INTERNAL, "unexpected error; the service's log has it")


async def _read(requests: AsyncIterator[bytes], stream: CameraStream) -> None:
    """Take the frames as they come, so that none waits in the connection."""
    before: _Metadata | None = None
    try:
        async for data in requests:
            message = parsed(camera_stream_pb2.VideoFrame, data)
            before = _follow(stream, before, message.metadata)
            if message.frame_data:
                stream.offer(message.frame_data, message.timestamp_ms)
        stream.finish()
    except UserFacingError as error:
        stream.fail(error)
    except Exception:
        # A bug: the outputs end, so that the call does, with this error.
        stream.finish()
        raise


def _follow(stream: CameraStream, before: _Metadata | None, metadata: Mapping[str, str]) -> _Metadata:
    """Apply what a frame's metadata says other than the one before, and return it.

    Args:
        stream: of the call.
        before: what holds; None before the first frame, which must name a pipeline.
        metadata: of the frame.

    Raises:
        InvalidInput: ``stream-control-invalid``, or ``stream-no-pipeline`` from the first frame.
        TooManyRequests: ``stream-flood-of-control``.
    """
    try:
        now = _Metadata.model_validate(dict(metadata))
    except ValidationError as error:
        field, reason = first_problem(error)
        raise InvalidInput("stream-control-invalid", field=f"metadata.{field}", reason=reason) from error
    if now.archive:
        stream.archive_next()
    # What a frame leaves out stays as it was.
    merged = (before or now).model_copy(update=now.model_dump(exclude_none=True))
    if before is None or merged.model_copy(update={"archive": before.archive}) != before:
        stream.count_control()
        match merged.control:
            case "pause":
                stream.pause()
            case "stop":
                stream.stop()
            case _:
                stream.start(merged.source_id or "", merged.pipeline_id or "", merged.fps)
    return merged


async def _write(stream: CameraStream, context: Any) -> None:
    stats: dict[str, str] = {}
    async for output in stream.outputs():
        match output:
            case StreamState():
                continue
            case StreamTrouble(error=error, frame=None) if stream.state.pipeline_id is None:
                # Without a pipeline there is nothing to go on with.
                raise error
        message = _message(output, stats)
        if message is None:
            continue
        try:
            async with asyncio.timeout(SLOW_CLIENT_S):
                await context.write(message.SerializeToString())
        except TimeoutError as error:
            raise TooManyRequests("stream-slow-client", seconds=SLOW_CLIENT_S) from error


def _message(output: Output, stats: dict[str, str]) -> camera_stream_pb2.ProcessedFrame | None:
    """Return the message of an output, None when it has none of its own.

    Args:
        output: of the stream.
        stats: of the last second, which every frame carries; filled in here.
    """
    match output:
        case ProcessedFrame(frame=frame, image=image):
            result = image.result
            facts: dict[str, Any] = {
                "frame": frame.number,
                "timestamp_ms": frame.timestamp_ms,
                "source_id": output.source_id,
                "pipeline_id": output.pipeline.id,
                "pipeline_version": output.pipeline.version,
                "verdict": result.overall_result.value,
                "confidence": result.confidence,
                "anomaly_score": result.anomaly_score,
                "archived": output.archived,
            }
            return camera_stream_pb2.ProcessedFrame(
                processed_data=image.jpeg,
                detections=[as_message(found) for found in result.detections],
                processing_time_ms=round(image.milliseconds),
                processing_stats={**stats, **_texts(facts)},
            )
        case ArchivedFrame(file_id=file_id, frame=number, reason=reason, sha256=sha256):
            facts = {"archived": reason, "frame": number, "file_id": file_id, "sha256": sha256}
        case StreamTrouble(error=error, frame=concerned):
            facts = {"error_code": error.code, "error": str(error), "frame": concerned}
        case StreamState():
            return None
        case _:
            stats.clear()
            stats.update(_texts(stats_message(output).model_dump(exclude={"type"})))
            if output.fps_out > 0:
                return None
            facts = {}
    return camera_stream_pb2.ProcessedFrame(processing_stats={**stats, **_texts(facts)})


def _texts(facts: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items() if value is not None}
