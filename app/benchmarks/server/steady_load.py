"""An open loop of requests: so many a second come whether the server has answered the ones before or not."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from functools import partial

from app.benchmarks.server.load_client import Answers, answer_length

_STATUS_AT = len(b"HTTP/1.1 ")
_SUCCESS = b"2"


class _Idle:
    """The connections that wait for a request, and the requests that wait for a connection."""

    def __init__(self, request: bytes, answers: Answers) -> None:
        self.request = request
        self.answers = answers
        self.connections: deque[_Connection] = deque()
        self.due: deque[float] = deque()

    def ask(self, due: float) -> None:
        """Send the request that is due, as soon as a connection is free."""
        self.due.append(due)
        if self.connections:
            self.connections.popleft().send(self.due.popleft())


class _Connection(asyncio.Protocol):
    """One request at a time; a duration counts from when it was due, also while it waited for a connection."""

    def __init__(self, idle: _Idle) -> None:
        self._idle = idle
        self._received = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError("a TCP connection can be written to")
        self.transport = transport
        self._idle.connections.append(self)

    def send(self, due: float) -> None:
        """Send a request."""
        self._due = due
        self.transport.write(self._idle.request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        length = answer_length(self._received)
        if length is None or len(self._received) < length:
            return
        answers = self._idle.answers
        answers.milliseconds.append((time.perf_counter() - self._due) * 1000)
        answers.refused += self._received[_STATUS_AT : _STATUS_AT + 1] != _SUCCESS
        self._received = self._received[length:]
        if self._idle.due:
            self.send(self._idle.due.popleft())
        else:
            self._idle.connections.append(self)


async def steady_load(host: str, port: int, request: bytes, connections: int, seconds: float, rate: float) -> Answers:
    """Send ``rate`` requests a second for ``seconds`` over at most ``connections`` connections."""
    loop = asyncio.get_running_loop()
    answers = Answers(time.perf_counter() + seconds)
    idle = _Idle(request, answers)
    opened = [await loop.create_connection(partial(_Connection, idle), host, port) for _ in range(connections)]
    for due in _moments(time.perf_counter(), seconds, rate):
        while (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        idle.ask(due)
        await asyncio.sleep(0)
    while len(idle.connections) < connections:
        await asyncio.sleep(0.001)
    for transport, _ in opened:
        transport.close()
    return answers


def _moments(began: float, seconds: float, rate: float) -> Iterator[float]:
    for number in range(int(seconds * rate)):
        yield began + number / rate
