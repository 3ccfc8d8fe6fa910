"""A closed loop of requests over a few connections: ``python -m app.benchmarks.server.load_client``, its own process.

Reads one JSON object from standard input: ``host``, ``port``, ``requests`` (the bytes of whole requests, as texts; the
connections take them in turn, each keeps its own), ``connections``, ``seconds``; with ``rate``, so many of the first
request come each second, whether answers do or not. Prints one: ``per_s``, ``p50_ms``, ``p95_ms``, ``p99_ms``,
``refused`` (answers that are not 2xx).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle

import numpy as np

_SUCCESS = b"2"
_STATUS_AT = len(b"HTTP/1.1 ")
_LENGTH, _HEAD_END = b"content-length: ", b"\r\n\r\n"


@dataclass(slots=True)
class Answers:
    """What came back until time was up."""

    until: float
    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    def __init__(self, request: bytes, answers: Answers, ended: asyncio.Future[None]) -> None:
        self._request = request
        self._answers = answers
        self._ended = ended
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError("a TCP connection can be written to")
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        length = answer_length(self._received)
        if length is None or len(self._received) < length:
            return
        now = time.perf_counter()
        self._answers.milliseconds.append((now - self._sent_at) * 1000)
        self._answers.refused += self._received[_STATUS_AT : _STATUS_AT + 1] != _SUCCESS
        self._received = self._received[length:]
        if now < self._answers.until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._ended.done():
            self._ended.set_result(None)

    def _ask(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)


def answer_length(received: bytes) -> int | None:
    """Return how many bytes the answer has that begins ``received``; None while its head is not whole."""
    head, found, _ = received.partition(_HEAD_END)
    if not found:
        return None
    return len(head) + len(_HEAD_END) + int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])


async def load(host: str, port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Answers:
    """Send requests over ``connections`` connections at once for ``seconds``."""
    loop = asyncio.get_running_loop()
    answers = Answers(time.perf_counter() + seconds)
    ends = [loop.create_future() for _ in range(connections)]
    for request, ended in zip(cycle(requests), ends, strict=False):
        await loop.create_connection(partial(_Connection, request, answers, ended), host, port)
    await asyncio.gather(*ends)
    return answers


def main() -> int:
    """Answer the one task on standard input."""
    task = json.load(sys.stdin)
    requests = [str(request).encode() for request in task["requests"]]
    place, size = (task["host"], task["port"]), (task["connections"], task["seconds"])
    if task.get("rate"):
        from app.benchmarks.server.steady_load import steady_load

        answers = asyncio.run(steady_load(*place, requests[0], *size, task["rate"]))
    else:
        answers = asyncio.run(load(*place, requests, *size))
    p50, p95, p99 = np.percentile(np.asarray(answers.milliseconds, np.float64), [50, 95, 99])
    found = {
        "per_s": len(answers.milliseconds) / task["seconds"],
        "p50_ms": float(p50),
        "p95_ms": float(p95),
        "p99_ms": float(p99),
        "refused": answers.refused,
    }
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
