"""What the streams of a process share: the threads, the pipelines, the archive."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager

from server.camera_stream.archive import ArchiveLimits, FrameArchive
from server.camera_stream.frames import ArchivedFrame, ArchiveReason, PreparedPipeline, ProcessedFrame, ProcessedImage
from server.camera_stream.pipelines import Pipelines
from server.camera_stream.processing import FrameLimits, process
from server.core.settings import ServerSettings

_BACKGROUND_THREADS = 2


class StreamWork:
    """Runs what takes long, on threads; used by the streams of one event loop.

    Each stream has at most one frame in a turn, and turns are given in the order they were asked for: so a stream waits
    for at most one frame of each other stream, however many frames those get.

    Args:
        settings: limits and number of threads.
        pipelines: that streams name.
        archive: of important frames; None keeps none.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        settings: ServerSettings,
        pipelines: Pipelines,
        archive: FrameArchive | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        threads = settings.stream_threads or os.cpu_count() or 1
        self.clock = clock
        self.limits = FrameLimits(settings.stream_max_frame_bytes, settings.stream_max_frame_pixels)
        self.archive = archive
        self.archive_limits = ArchiveLimits(settings.stream_archive_per_minute)
        self.least_confidence = settings.stream_archive_confidence
        self._pipelines = pipelines
        self._turns = asyncio.Semaphore(threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ThreadPoolExecutor-stream-frames")
        # A model that takes seconds to load, or a slow disk, holds up no frame.
        self._background = ThreadPoolExecutor(
            _BACKGROUND_THREADS, thread_name_prefix="ThreadPoolExecutor-stream-background"
        )

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Return the turn to use a thread for one frame."""
        return self._turns

    async def process(self, data: bytes, pipeline: PreparedPipeline, cancel: threading.Event) -> ProcessedImage:
        """Run a pipeline on a frame; raises as ``server.camera_stream.processing.process``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, process, data, pipeline, self.limits, cancel)

    async def prepare(self, pipeline_id: str) -> PreparedPipeline:
        """Return a pipeline that can run; raises as ``Pipelines.prepare``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._background, self._pipelines.prepare, pipeline_id)

    async def keep(self, found: ProcessedFrame, reason: ArchiveReason) -> ArchivedFrame:
        """Archive a frame; raises as ``FrameArchive.keep``.

        Raises:
            RuntimeError: without an archive. A bug.
        """
        if self.archive is None:
            raise RuntimeError("there is no archive")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._background, self.archive.keep, found, reason)

    def close(self) -> None:
        """End the threads; what is on its way into the archive gets there."""
        self._threads.shutdown(cancel_futures=True)
        self._background.shutdown()
