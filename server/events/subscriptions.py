"""A subscription: a bounded queue that publishers fill from any thread and one task of one event loop empties."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Generic, Protocol

from server.events.reader import LoopReader
from server.events.topics import Event, Topic, ValueT

MOST_WAITING = 1_000


class Source(Protocol):
    """What fills subscriptions."""

    async def join(self, reader: QueuedSubscription[Any]) -> None:
        """Begin to offer events to a reader; one that has closed ends the reader instead."""

    def leave(self, reader: QueuedSubscription[Any]) -> None:
        """Offer no more events to a reader."""


class QueuedSubscription(LoopReader, Generic[ValueT]):
    """One reader's queue.

    Args:
        source: that fills it.
        topic: whose events it gets.
        most_waiting: events kept for a reader that has fallen behind.
    """

    def __init__(self, source: Source, topic: Topic[ValueT], most_waiting: int) -> None:
        super().__init__()
        self.topic = topic
        self._source = source
        self._lock = threading.Lock()
        self._waiting: deque[Event[ValueT]] = deque(maxlen=most_waiting)
        self._missed = 0
        self._ended = False

    @property
    def missed(self) -> int:
        """How many events were lost so far because the reader fell behind."""
        with self._lock:
            return self._missed

    async def __anext__(self) -> Event[ValueT]:
        """Wait for the next event."""
        await self._begin()
        while True:
            self._ready.clear()
            with self._lock:
                if self._waiting:
                    return self._waiting.popleft()
                if self._ended:
                    raise StopAsyncIteration
            await self._ready.wait()

    async def aclose(self) -> None:
        """End the subscription; may be repeated."""
        self._source.leave(self)
        with self._lock:
            self._waiting.clear()
        self.end()

    def offer(self, event: Event[ValueT]) -> None:
        """Add an event; the oldest makes room when the queue is full. Called from any thread."""
        with self._lock:
            if self._ended:
                return
            if len(self._waiting) == self._waiting.maxlen:
                self._missed += 1
            self._waiting.append(event)
        self.wake()

    def end(self) -> None:
        """Let the reader end after the events that wait. Called from any thread."""
        with self._lock:
            self._ended = True
        self.wake()

    async def _join(self) -> None:
        await self._source.join(self)
