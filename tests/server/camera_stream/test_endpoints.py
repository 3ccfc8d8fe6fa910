"""The WebSocket's connection to a stream: nothing is made for a client that has not taken what came before."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from pydantic import BaseModel

from server.camera_stream.endpoints import _write
from server.http.live_socket import LiveSocket
from tests.support.streams import Clock, HeldPipelines, HeldRunner, jpeg, opened, run, shared_work


class FullSocket:
    """A connection that has room when the test says so."""

    language = "en"

    def __init__(self) -> None:
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.pictures: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, message: BaseModel | bytes) -> None:
        if isinstance(message, bytes):
            self.has_room.clear()
            self.pictures.put_nowait(message)

    async def room(self) -> None:
        await self.has_room.wait()


def test_a_picture_is_made_when_it_can_leave_at_once() -> None:
    async def scenario() -> None:
        clock, runner, socket = Clock(), HeldRunner(), FullSocket()
        async with shared_work(HeldPipelines(p=runner), clock=clock) as work, opened(work) as stream:
            stream.start("line-1", "p", fps=10)
            writing = asyncio.ensure_future(_write(cast("LiveSocket", cast("Any", socket)), stream))
            stream.offer(jpeg(10))
            assert await socket.pictures.get() == jpeg(10)
            stream.offer(jpeg(20))
            for _ in range(20):
                await asyncio.sleep(0)
            clock.now += 0.3
            socket.has_room.set()
            stream.offer(jpeg(30))
            assert await socket.pictures.get() == jpeg(30)
            assert runner.seen == [10, 30]
            writing.cancel()

    run(scenario())
