"""One stream: the newest frame through the pipeline, as fast as its client takes the results and no faster.

Everything here runs on one event loop, but for the pipeline itself. At most one frame waits and one is in the pipeline,
so memory is bounded, order is kept, and a client that reads slowly slows nobody but itself.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from models.errors import InvalidInput, TooLarge, TooManyRequests, UserFacingError
from server.camera_stream.frames import (
    ArchiveReason,
    Output,
    PreparedPipeline,
    ProcessedFrame,
    ProcessedImage,
    StreamState,
    StreamStatus,
    StreamTrouble,
    VideoFrame,
)
from server.camera_stream.pace import MOST_FPS, Pace
from server.camera_stream.rates import TokenBucket
from server.camera_stream.rules import archive_reason
from server.camera_stream.statistics import Meter
from server.camera_stream.work import StreamWork

_BURST_S = 2.0
_CONTROLS_PER_S, _CONTROL_BURST = 10, 20
_MOST_NOTICES = 32
SLOW_CLIENT_S = 10.0
"""How long a client may leave a result untaken."""
LONGEST_SOURCE_ID = 200
LEAST_FPS = 0.1


class CameraStream:
    """A stream; ``outputs`` gives what its client is to get, everything else is called as messages come.

    Args:
        work: what it shares with other streams.
    """

    def __init__(self, work: StreamWork) -> None:
        self._work = work
        self._clock = work.clock
        self._pace = Pace()
        self._meter = Meter(self._clock())
        self._frames_allowed = TokenBucket(MOST_FPS, MOST_FPS * _BURST_S)
        self._controls_allowed = TokenBucket(_CONTROLS_PER_S, _CONTROL_BURST)
        self._status = StreamStatus.STOPPED
        self._source_id = ""
        self._pipeline: PreparedPipeline | None = None
        self._wanted: str | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._waiting: VideoFrame | None = None
        self._archive_next = False
        self._notices: deque[Output] = deque(maxlen=_MOST_NOTICES)
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None
        self._finished = False
        self._cancel = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> StreamState:
        """What the stream does now."""
        ready = None if self._pipeline is None else self._pipeline.id
        return StreamState(self._status, self._source_id, ready, self._wanted)

    def offer(self, data: bytes, timestamp_ms: int = 0) -> None:
        """Take a frame; it takes the place of one that waits.

        Args:
            data: an image file.
            timestamp_ms: of its capture, on the clock of the source; 0 without one.

        Raises:
            TooLarge: ``stream-frame-too-large``.
            TooManyRequests: ``stream-flood``.
        """
        now = self._clock()
        most = self._work.limits.max_bytes
        if len(data) > most:
            raise TooLarge("stream-frame-too-large", limit=most)
        if not self._frames_allowed.take(now):
            raise TooManyRequests("stream-flood", limit=MOST_FPS)
        self._meter.came()
        if self._waiting is not None:
            self._meter.drop()
            self._waiting = None
        if self._status is not StreamStatus.RUNNING:
            self._meter.drop()
            return
        captured_at = self._pace.arrived(now, timestamp_ms)
        self._waiting = VideoFrame(self._meter.frames_in, data, timestamp_ms, now, captured_at)
        self._changed.set()

    def count_control(self) -> None:
        """Count a control message.

        Raises:
            TooManyRequests: ``stream-flood-of-control``.
        """
        if not self._controls_allowed.take(self._clock()):
            raise TooManyRequests("stream-flood-of-control", limit=_CONTROLS_PER_S)

    def start(self, source_id: str = "", pipeline_id: str = "", fps: float | None = None) -> None:
        """Let frames through the pipeline; what is empty stays as it was.

        Args:
            source_id: of the camera.
            pipeline_id: to prepare, when it is another one.
            fps: frames a second that the source claims; None takes what arrives.

        Raises:
            InvalidInput: ``stream-no-pipeline`` when none was ever named.
        """
        if not pipeline_id and self._pipeline is None and self._wanted is None:
            raise InvalidInput("stream-no-pipeline")
        if source_id:
            self._source_id = source_id
        if self._status is not StreamStatus.RUNNING or fps is not None:
            self._pace = Pace(fps)
        self._status = StreamStatus.RUNNING
        if pipeline_id and (self._pipeline is None or pipeline_id != self._pipeline.id):
            self._prepare(pipeline_id)
        self._notify(self.state)

    def pause(self) -> None:
        """Pass frames over until ``start``; the pipeline stays loaded."""
        self._halt(StreamStatus.PAUSED)

    def stop(self) -> None:
        """Pass frames over and forget the pipeline."""
        self._pipeline = self._wanted = None
        self._halt(StreamStatus.STOPPED)

    def set_pipeline(self, pipeline_id: str) -> None:
        """Prepare a pipeline; the present one goes on until the new one is ready, and when it cannot be used."""
        self._prepare(pipeline_id)
        self._notify(self.state)

    def archive_next(self) -> None:
        """Archive the next frame that is processed."""
        self._archive_next = True

    def report(self, error: UserFacingError) -> None:
        """Tell the client of an error that does not end the stream."""
        self._notify(StreamTrouble(error))

    def fail(self, error: UserFacingError) -> None:
        """End the stream with an error, which ``outputs`` raises."""
        self._failure = error
        self._changed.set()

    def finish(self) -> None:
        """End the stream after the frame that waits: its client sends no more."""
        self._finished = True
        self._changed.set()

    async def outputs(self) -> AsyncIterator[Output]:
        """Give what the client is to get; the next one is made when this one has been handed over.

        Raises:
            UserFacingError: of ``fail``.
        """
        while True:
            self._changed.clear()
            if self._failure is not None:
                raise self._failure
            now = self._clock()
            if self._notices:
                yield self._notices.popleft()
            elif self._status is not StreamStatus.STOPPED and now >= self._meter.due_at:
                yield self._meter.end_second(now)
            elif self._waiting is not None and self._pipeline is not None:
                found = await self._next(self._pipeline)
                if found is not None:
                    yield found
                    if isinstance(found, ProcessedFrame):
                        self._meter.sent(self._clock() - found.frame.arrived_at)
            elif self._finished and (self._waiting is None or self._wanted is None):
                return
            else:
                await self._change(None if self._status is StreamStatus.STOPPED else self._meter.due_at - now)

    async def aclose(self) -> None:
        """Stop what runs for this stream; frames that are on their way into the archive get there."""
        self._cancel.set()
        if self._preparing is not None:
            self._preparing.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _change(self, longest_s: float | None) -> None:
        """Wait until something has happened, for some seconds at most."""
        try:
            async with asyncio.timeout(longest_s):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _next(self, pipeline: PreparedPipeline) -> Output | None:
        """Return what came of the newest frame, or None when it is out of date before it could be sent."""
        async with self._work.turn():
            # The newest one when the turn has come, which may be another one than when it was asked for.
            frame, self._waiting = self._waiting, None
            if frame is None or self._is_out_of_date(frame):
                return None
            began = self._clock()
            try:
                image = await self._work.process(frame.data, pipeline, self._cancel)
            except UserFacingError as error:
                self._meter.drop()
                return StreamTrouble(error, frame.number)
            self._pace.took(self._clock() - began)
        if self._status is not StreamStatus.RUNNING:
            self._meter.drop()
            return None
        found = ProcessedFrame(frame, image, self._source_id, pipeline, self._archived(image))
        if found.archived is not None:
            self._begin(self._keep(found, found.archived))
        # What was found on it may be important even if it comes too late to be shown.
        return None if self._is_out_of_date(frame) else found

    def _is_out_of_date(self, frame: VideoFrame) -> bool:
        late = self._pace.is_out_of_date(frame.captured_at, self._clock())
        if late:
            self._meter.drop()
        return late

    def _archived(self, image: ProcessedImage) -> ArchiveReason | None:
        if self._work.archive is None:
            if self._archive_next:
                self._archive_next = False
                self.report(InvalidInput("stream-no-archive"))
            return None
        reason = archive_reason(image.result, self._work.least_confidence, requested=self._archive_next)
        if reason is None or self._work.archive_limits.allows(self._source_id, self._clock()):
            self._archive_next = False
            return reason
        if self._archive_next:
            self._archive_next = False
            self.report(TooManyRequests("stream-archive-limit"))
        return None

    async def _keep(self, found: ProcessedFrame, reason: ArchiveReason) -> None:
        try:
            self._notify(await self._work.keep(found, reason))
        except UserFacingError as error:
            self._notify(StreamTrouble(error, found.frame.number))

    def _prepare(self, pipeline_id: str) -> None:
        """Prepare a pipeline, after one that is being prepared now; of several that wait the last one counts."""
        self._wanted = pipeline_id
        if self._preparing is None:
            self._preparing = self._begin(self._prepare_wanted())

    async def _prepare_wanted(self) -> None:
        while (wanted := self._wanted) is not None:
            trouble: UserFacingError | None = None
            try:
                pipeline = await self._work.prepare(wanted)
            except UserFacingError as error:
                trouble = error
            if self._wanted != wanted:
                continue
            self._wanted = None
            if trouble is None:
                self._pipeline = pipeline
            else:
                self._notify(StreamTrouble(trouble))
            self._notify(self.state)
        self._preparing = None

    def _halt(self, status: StreamStatus) -> None:
        self._status = status
        if self._waiting is not None:
            self._meter.drop()
            self._waiting = None
        self._notify(self.state)

    def _notify(self, notice: Output) -> None:
        self._notices.append(notice)
        self._changed.set()

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug, which must not look like a stream without frames.
            self._failure = error
            self._changed.set()
