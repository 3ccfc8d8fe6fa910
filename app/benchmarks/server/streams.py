"""A camera of 15 frames a second at the server, by both faces: how late its pictures come back, how old they are."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median

import grpc.aio
import numpy as np
from websockets.asyncio.client import connect

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.server.driving import START_S, served, signed_in
from app.benchmarks.server.grpc_clients import addresses, models_environment
from inspection.imaging.files import encode_jpeg
from inspection.imaging.opencv import cv2
from inspection.sources import make_source
from server.camera_stream.pipelines import Pipelines
from server.camera_stream.processing import FrameLimits, process
from server.camera_stream.statistics import percentile
from server.grpc.contract import CAMERA_STREAM
from server.grpc.models import ModelShelf
from server.grpc.stubs import camera_stream_pb2

FPS, SECONDS, ROUNDS = 15.0, 12.0, 3
P95_MS, PERIODS = 50.0, 2.0
_MODEL, _VIDEO = "weights/yolo11n_int8_320.onnx", "video/bottle-detection.mp4"
_SIZE, _MOST_FRAMES, _LAST_S = (640, 480), 60, 1.0
_QUALITY, _MOST_BYTES, _PIPELINE = 85, 8 * 1024 * 1024, "detection"
_FACES = {"grpc": "ProcessVideoStream", "websocket": "/ws/camera-stream"}


@dataclass(slots=True)
class Received:
    """What a camera got back.

    Attributes:
        sent: frames it sent.
        ages_ms: of its pictures when they were there, from the moment they were sent.
    """

    sent: int = 0
    ages_ms: list[float] = field(default_factory=list)

    @property
    def p95_ms(self) -> float:
        """95th percentile of the ages."""
        return percentile(self.ages_ms, 0.95) or float("inf")


@dataclass(frozen=True, slots=True)
class _Server:
    """Where a camera connects to."""

    url: str
    grpc_address: str
    authorization: str


Send = Callable[[bytes, int], Awaitable[None]]
Camera = Callable[[_Server], AsyncIterator[tuple[Send, AsyncIterator[int]]]]


def measure(data: Path, *, seconds: float = SECONDS, rounds: int = ROUNDS) -> list[Figure]:
    """Return latencies and ages of frames, alone and beside a client that does not read.

    Args:
        data: folder of the data sets, with the weights of a detector and a video.
        seconds: of one stream.
        rounds: every way once a round; the median of the rounds' figures counts, of ages the largest.

    Raises:
        Unavailable: when the server does not start.
    """
    frames = _frames(data / _VIDEO)
    alone: list[list[float]] = []
    found: dict[str, list[Received]] = {f"{face}{beside}": [] for face in _FACES for beside in ("", "_beside_slow")}
    with tempfile.TemporaryDirectory() as folder:
        environment = models_environment(default=data / _MODEL)
        with served(Path(folder), environment=environment) as (url, _), signed_in(url) as client:
            server = _Server(url, addresses(client)[CAMERA_STREAM.key], client.headers["Authorization"])
            for _ in range(rounds):
                alone.append(_pipeline_ms(frames, data / _MODEL))
                for face in _FACES:
                    found[face].append(asyncio.run(_stream(server, face, frames, seconds)))
                    found[f"{face}_beside_slow"].append(asyncio.run(_beside_slow(server, face, frames, seconds)))
    return [_alone_figure(alone), *(figure for name, streams in found.items() for figure in _figures(name, streams))]


def _pipeline_ms(frames: Sequence[bytes], weights: Path) -> list[float]:
    """Return how long the pipeline takes for each frame in this process, from JPEG to JPEG."""
    pipelines = Pipelines(None, {}, ModelShelf({"default": weights}).find)
    prepared = pipelines.prepare(_PIPELINE)
    limits, cancel = FrameLimits(_MOST_BYTES, _SIZE[0] * _SIZE[1]), threading.Event()
    process(frames[0], prepared, limits, cancel)
    return [process(frame, prepared, limits, cancel).milliseconds for frame in frames]


def _alone_figure(rounds: Sequence[Sequence[float]]) -> Figure:
    p95s = [percentile(taken, 0.95) or float("inf") for taken in rounds]
    return Figure(
        name="stream_pipeline_p95_ms",
        value=median(p95s),
        unit="ms",
        what="the pipeline of the streams below on the same frames without a server, JPEG to JPEG: 95th percentile",
        note=f"median of {len(rounds)} rounds, {min(p95s):.3g} to {max(p95s):.3g}",
    )


def _figures(name: str, streams: Sequence[Received]) -> list[Figure]:
    face, beside = name.removesuffix("_beside_slow"), name.endswith("_beside_slow")
    where = f"{_FACES[face]}, 640×480 at {FPS:g} frames/s, YOLO11n at 320 and its boxes drawn"
    where += "; beside a client that sends and never reads" if beside else ""
    p95s = [stream.p95_ms for stream in streams]
    oldest = max(max(stream.ages_ms, default=float("inf")) for stream in streams)
    back = sum(len(stream.ages_ms) for stream in streams) / sum(stream.sent for stream in streams)
    limit = PERIODS * 1000 / FPS
    note = f"median of {len(streams)} streams, {min(p95s):.3g} to {max(p95s):.3g}; {back:.1%} of the frames came back"
    return [
        judged_figure(
            name=f"stream_{name}_p95_ms",
            value=median(p95s),
            unit="ms",
            what=f"{where}: 95th percentile from sending a frame to having its picture",
            goal=at_most(P95_MS),
            note=note,
        ),
        Figure(
            name=f"stream_{name}_oldest_ms",
            value=oldest,
            unit="ms",
            what=f"{where}: age of the oldest picture that came back",
            goal=f"≤ {limit:.0f} ms, two periods",
            met=oldest <= limit,
        ),
    ]


async def _stream(server: _Server, face: str, frames: Sequence[bytes], seconds: float) -> Received:
    """Send frames at the camera's rate and take the pictures as they come."""
    received = Received()
    sent_at: list[float] = []
    ready = asyncio.Event()

    async def take(pictures: AsyncIterator[int]) -> None:
        async for number in pictures:
            if received.sent:
                received.ages_ms.append((time.perf_counter() - sent_at[number - 1]) * 1000)
            ready.set()

    async with asyncio.timeout(seconds + START_S), _CAMERAS[face](server) as (send, pictures):
        taking = asyncio.create_task(take(pictures))
        began = time.perf_counter()
        for frame in cycle(frames):
            await asyncio.sleep(max(0.0, began + len(sent_at) / FPS - time.perf_counter()))
            # What comes before the first picture waits for the model.
            received.sent += ready.is_set()
            sent_at.append(time.perf_counter())
            await send(frame, int(time.time() * 1000))
            if received.sent >= seconds * FPS:
                break
        await asyncio.sleep(_LAST_S)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
    return received


async def _beside_slow(server: _Server, face: str, frames: Sequence[bytes], seconds: float) -> Received:
    """Measure a stream beside one of the same face whose client sends as much and reads nothing."""
    async with AsyncExitStack() as opened:
        send, _ = await opened.enter_async_context(_CAMERAS[face](server))

        async def flood() -> None:
            for frame in cycle(frames):
                await send(frame, int(time.time() * 1000))
                await asyncio.sleep(1 / FPS)

        flooding = asyncio.create_task(flood())
        try:
            return await _stream(server, face, frames, seconds)
        finally:
            flooding.cancel()
            await asyncio.gather(flooding, return_exceptions=True)


@asynccontextmanager
async def _grpc_camera(server: _Server) -> AsyncIterator[tuple[Send, AsyncIterator[int]]]:
    async with grpc.aio.insecure_channel(server.grpc_address) as channel:
        call = channel.stream_stream(CAMERA_STREAM.path(), None, None)(None)

        async def send(frame: bytes, timestamp_ms: int) -> None:
            given = {"source_id": "camera", "pipeline_id": _PIPELINE}
            message = camera_stream_pb2.VideoFrame(frame_data=frame, timestamp_ms=timestamp_ms, metadata=given)
            await call.write(message.SerializeToString())

        async def pictures() -> AsyncIterator[int]:
            async for data in call:
                message = camera_stream_pb2.ProcessedFrame.FromString(data)
                if message.processed_data:
                    yield int(message.processing_stats["frame"])

        try:
            yield send, pictures()
        finally:
            call.cancel()


@asynccontextmanager
async def _websocket_camera(server: _Server) -> AsyncIterator[tuple[Send, AsyncIterator[int]]]:
    address = f"ws{server.url.removeprefix('http')}/ws/camera-stream"
    async with connect(address, additional_headers={"Authorization": server.authorization}, proxy=None) as socket:
        await socket.send(json.dumps({"type": "start", "source_id": "camera", "pipeline_id": _PIPELINE}))

        async def send(frame: bytes, timestamp_ms: int) -> None:
            del timestamp_ms  # a binary message is the frame alone
            await socket.send(frame)

        async def pictures() -> AsyncIterator[int]:
            number = 0
            async for message in socket:
                if isinstance(message, bytes):
                    yield number
                    continue
                told = json.loads(message)
                if told["type"] == "detections":
                    number = told["frame"]

        yield send, pictures()


_CAMERAS = {"grpc": _grpc_camera, "websocket": _websocket_camera}


def _frames(video: Path) -> list[bytes]:
    """Return the first frames of a video as JPEG of the camera's size."""
    frames: list[bytes] = []
    with make_source(str(video)) as source:
        while len(frames) < _MOST_FRAMES and (frame := source.read()) is not None:
            small = cv2.resize(frame.rgb(), _SIZE, interpolation=cv2.INTER_AREA)
            frames.append(encode_jpeg(small.astype(np.uint8, copy=False), _QUALITY))
    return frames
