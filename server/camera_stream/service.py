"""The streams of a process: how many there are, and what they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from models.errors import Unavailable
from server.camera_stream.archive import FrameArchive
from server.camera_stream.pipelines import Pipelines
from server.camera_stream.stream import CameraStream
from server.camera_stream.work import StreamWork
from server.context import ServerContext
from server.core.settings import ServerSettings
from server.grpc.models import ModelShelf

if TYPE_CHECKING:
    from inspection.model_files.step_models import ModelFinder

_LAST_WORDS_S = 2.0
"""For clients to take the reason why their stream ends."""


class CameraStreams:
    """Opens streams, on one event loop.

    Args:
        work: that they share.
        most: streams at once.
    """

    def __init__(self, work: StreamWork, most: int) -> None:
        self._work = work
        self._most = most
        self._open: set[CameraStream] = set()
        self._all_ended = asyncio.Event()
        self._all_ended.set()
        self._closing = False

    @property
    def count(self) -> int:
        """Streams that are open."""
        return len(self._open)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[CameraStream]:
        """Give a stream that is closed with the block.

        Raises:
            Unavailable: ``stream-too-many``, or ``stream-server-stops``.
        """
        if self._closing:
            raise Unavailable("stream-server-stops")
        if len(self._open) >= self._most:
            raise Unavailable("stream-too-many", limit=self._most)
        stream = CameraStream(self._work)
        self._open.add(stream)
        self._all_ended.clear()
        try:
            yield stream
        finally:
            await stream.aclose()
            self._open.discard(stream)
            if not self._open:
                self._all_ended.set()

    async def aclose(self) -> None:
        """End all streams, whose clients get the reason, and the threads."""
        self._closing = True
        for stream in self._open:
            stream.fail(Unavailable("stream-server-stops"))
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._all_ended.wait()
        await asyncio.to_thread(self._work.close)


def streams_of(context: ServerContext, find_model: ModelFinder) -> CameraStreams:
    """Return the streams of a server: pipelines and archive are in its database.

    Args:
        context: the server's parts.
        find_model: finds the models that steps of pipelines name.
    """
    settings = context.settings
    pipelines = Pipelines(context.database, settings.pipelines, find_model)
    archive = FrameArchive(context.database, context.objects, context.outbox.wake)
    return CameraStreams(StreamWork(settings, pipelines, archive), settings.stream_most)


def streams_without_database(settings: ServerSettings, models: ModelShelf) -> CameraStreams:
    """Return the streams of a service by itself: pipelines of the settings and of the product, and no archive."""
    pipelines = Pipelines(None, settings.pipelines, models.find)
    return CameraStreams(StreamWork(settings, pipelines, None), settings.stream_most)
