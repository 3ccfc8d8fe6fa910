"""A TCP proxy that delays, cuts and corrupts what passes it, either way."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter
from typing import Self

LONGEST_DELAY_S = 0.02
_PIECE = 2048


class BadLink:
    """Passes connections on to a port; a piece of what passes may meet with trouble, unless the link is calm.

    Args:
        port: of the server.
        seed: of what is drawn.
        kinds: drawn from for each piece: ``delay``, ``cut``, ``corrupt``, or nothing.
    """

    def __init__(self, port: int, seed: int, kinds: tuple[str, ...]) -> None:
        self._port, self._kinds = port, kinds
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self.calm = False
        self.befallen: Counter[str] = Counter()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                # The end of the proof cuts what is still open.
                with contextlib.suppress(asyncio.CancelledError):
                    await self._pass_on(reader, writer)
            finally:
                tasks.discard(task)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._ended.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        try:
            pumps = [self._pump(reader, up_writer), self._pump(up_reader, writer)]
            tasks = [asyncio.ensure_future(pump) for pump in pumps]
            _, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            for end in (writer, up_writer):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PIECE):
            kind = "" if self.calm else self._chance.choice(self._kinds)
            if kind:
                self.befallen[kind] += 1
            if kind == "cut":
                return
            if kind == "delay":
                await asyncio.sleep(self._chance.uniform(0, LONGEST_DELAY_S))
            if kind == "corrupt":
                place = self._chance.randrange(len(data))
                data = data[:place] + bytes([data[place] ^ 0x20]) + data[place + 1 :]
            writer.write(data)
            await writer.drain()
