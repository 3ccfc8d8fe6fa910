"""Camera streams whose pipeline and clock a test holds in its hands."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from inspection.imaging.files import encode_jpeg
from inspection.imaging.frames import Frame
from inspection.pipeline.runner import InspectionOutcome
from models.errors import NotFound
from models.results import BoundingBox, Detection, InspectionResult
from models.states import Verdict
from server.camera_stream.archive import FrameArchive
from server.camera_stream.frames import Output, PreparedPipeline, ProcessedFrame
from server.camera_stream.stream import CameraStream
from server.camera_stream.work import StreamWork
from server.core.settings import ServerSettings

LIMIT_S = 30.0


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario in a loop of its own, within the time limit."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await scenario

    asyncio.run(limited())


def jpeg(brightness: int = 128, width: int = 64, height: int = 48) -> bytes:
    """A frame of one grey value, by which it is known again."""
    return encode_jpeg(np.full((height, width, 3), brightness, np.uint8))


class Clock:
    """A clock that goes on when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class HeldRunner:
    """A pipeline that finds the brightness of a frame, and waits while the test holds it.

    ``seen`` are the brightnesses of the frames it began with.
    """

    def __init__(self, verdict: Verdict = Verdict.OK, confidence: float = 1.0) -> None:
        self.seen: list[int] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.at_work = threading.Event()
        self._verdict = verdict
        self._confidence = confidence

    def run(self, frame: Frame, *, cancel: threading.Event) -> InspectionOutcome:
        brightness = int(frame.pixels.mean())
        self.seen.append(brightness)
        self.at_work.set()
        assert self.goes_on.wait(LIMIT_S)
        box = BoundingBox(x=1, y=2, width=3, height=4)
        found = Detection(class_name=f"grey-{brightness}", confidence=0.9, bbox=box)
        result = InspectionResult(overall_result=self._verdict, confidence=self._confidence, detections=[found])
        return InspectionOutcome(result, None, None, None)


class HeldPipelines:
    """Pipelines by the names that a test gives them."""

    def __init__(self, **runners: HeldRunner) -> None:
        self.runners = runners
        self.prepared: list[str] = []

    def prepare(self, pipeline_id: str) -> PreparedPipeline:
        self.prepared.append(pipeline_id)
        if pipeline_id not in self.runners:
            raise NotFound("pipeline-not-found")
        return PreparedPipeline(pipeline_id, pipeline_id, 1, self.runners[pipeline_id])


@asynccontextmanager
async def shared_work(
    pipelines: Any, archive: FrameArchive | None = None, clock: Callable[[], float] | None = None, **settings: Any
) -> AsyncIterator[StreamWork]:
    given = {} if clock is None else {"clock": clock}
    work = StreamWork(ServerSettings(**settings), pipelines, archive, **given)
    try:
        yield work
    finally:
        for runner in getattr(pipelines, "runners", {}).values():
            runner.goes_on.set()
        work.close()


@asynccontextmanager
async def opened(work: StreamWork) -> AsyncIterator[CameraStream]:
    stream = CameraStream(work)
    try:
        yield stream
    finally:
        await stream.aclose()


async def following(outputs: AsyncIterator[Output], kind: type[Any] | tuple[type[Any], ...]) -> Any:
    """The next output of a kind."""
    async for output in outputs:
        if isinstance(output, kind):
            return output
    raise AssertionError(f"the stream ended without {kind}")


async def through(stream: CameraStream, outputs: AsyncIterator[Output], data: bytes, **given: Any) -> ProcessedFrame:
    """What comes of a frame that is given now."""
    stream.offer(data, **given)
    return await following(outputs, ProcessedFrame)
