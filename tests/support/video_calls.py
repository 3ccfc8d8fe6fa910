"""A camera at the gRPC face of streams, and a service of streams that listens."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from inspection.pipeline.definition import PipelineDefinition
from inspection.pipeline.runner import Runner
from inspection.pipeline.validation import validate_definition
from server.camera_stream.rpc import StreamCalls
from server.camera_stream.service import CameraStreams, streams_without_database
from server.core.settings import ServerSettings
from server.grpc.contract import CAMERA_STREAM
from server.grpc.hosting import Parts, ServiceHost
from server.grpc.models import ModelShelf
from server.grpc.stubs import camera_stream_pb2
from server.objects.store import ObjectStore
from tests.support.detector_files import YOLO, graph_that_says
from tests.support.grpc_services import running_loop

DETECTING = {
    "name": "Detecting",
    "steps": [
        {
            "id": "found",
            "component": "ai_detection",
            "inputs": {"image": "input"},
            "parameters": {"model": "boxes", "confidence": 0.05},
        },
        {
            "id": "drawn",
            "component": "filter",
            "inputs": {"image": "input", "detections": "found"},
            "parameters": {"filter_type": "overlay"},
        },
    ],
}
BLURRING = {
    "name": "Blurring",
    "steps": [
        {
            "id": "blurred",
            "component": "filter",
            "inputs": {"image": "input"},
            "parameters": {"filter_type": "blur"},
        }
    ],
}


def stream_files(folder: Path) -> dict[str, Any]:
    """Settings with a detector and two pipelines: ``detecting`` and ``blurring``."""
    files = {"detecting": DETECTING, "blurring": BLURRING}
    for name, definition in files.items():
        (folder / f"{name}.json").write_text(json.dumps(definition), encoding="utf-8")
    return {
        "models": {"boxes": graph_that_says(YOLO, folder / "boxes")},
        "pipelines": {name: folder / f"{name}.json" for name in files},
    }


def runner_of(definition: dict[str, Any], settings: ServerSettings) -> Runner:
    """The same pipeline as it runs without a server."""
    shelf = ModelShelf(settings.models)
    pipeline = validate_definition(PipelineDefinition.parse(definition))
    return Runner(pipeline, {name: shelf.find(name) for name in pipeline.models()})


@dataclass(eq=False)
class Listening:
    """A service of streams."""

    address: str
    streams: CameraStreams
    settings: ServerSettings


@contextmanager
def listening_streams(folder: Path, **given: Any) -> Iterator[Listening]:
    """Host the camera stream in an event loop of its own until the block ends."""
    settings = ServerSettings(data_dir=folder, grpc_port=0, **{**stream_files(folder), **given})
    models = ModelShelf(settings.models)
    with running_loop() as in_loop:
        streams = in_loop(_made(settings, models))
        parts = Parts(settings, ObjectStore(settings.objects), models, StreamCalls(streams))
        host = ServiceHost([CAMERA_STREAM], parts)
        addresses = in_loop(host.start())
        try:
            yield Listening(addresses[CAMERA_STREAM.key], streams, settings)
        finally:
            in_loop(streams.aclose())
            in_loop(host.stop(0))


async def _made(settings: ServerSettings, models: ModelShelf) -> CameraStreams:
    return streams_without_database(settings, models)


class VideoCall:
    """A call of ``ProcessVideoStream``; frames go when the test says so."""

    def __init__(self, channel: grpc.Channel, seconds: float = 60.0) -> None:
        self._frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        method = channel.stream_stream(CAMERA_STREAM.path(), None, None)
        self.call = method(iter(self._frames.get, None), timeout=seconds)

    def send_bytes(self, data: bytes) -> None:
        self._frames.put(data)

    def send(self, data: bytes, timestamp_ms: int = 0, **metadata: str) -> None:
        frame = camera_stream_pb2.VideoFrame(frame_data=data, timestamp_ms=timestamp_ms, metadata=metadata)
        self.send_bytes(frame.SerializeToString())

    def end(self) -> None:
        """Send no more."""
        self._frames.put(None)

    def __iter__(self) -> Iterator[camera_stream_pb2.ProcessedFrame]:
        return (camera_stream_pb2.ProcessedFrame.FromString(data) for data in self.call)

    def picture(self) -> camera_stream_pb2.ProcessedFrame:
        """The next message with a picture."""
        return next(message for message in self if message.processed_data)

    def told(self, key: str) -> camera_stream_pb2.ProcessedFrame:
        """The next message that tells of something."""
        return next(message for message in self if key in message.processing_stats)


@contextmanager
def video_call(address: str) -> Iterator[VideoCall]:
    with grpc.insecure_channel(address) as channel:
        call = VideoCall(channel)
        try:
            yield call
        finally:
            call.end()
            call.call.cancel()
