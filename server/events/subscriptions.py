"""A subscription: a bounded queue that publishers fill from any thread and one task of one event loop empties."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
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
        wanted: tells which of them it gets; None for all.
    """

    def __init__(
        self, source: Source, topic: Topic[ValueT], most_waiting: int, wanted: Callable[[ValueT], bool] | None = None
    ) -> None:
        super().__init__()
        self.topic = topic
        self._source = source
        self._wanted = wanted
        # Rather an early wake than a full queue.
        self._most_patient = most_waiting // 2
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
        """Add an event, if it is wanted; the oldest makes room when the queue is full. Called from any thread."""
        if self._wanted is not None and not self._wanted(event.value):
            return
        may_wait = self.topic.may_wait(event.value)
        with self._lock:
            if self._ended:
                return
            if len(self._waiting) == self._waiting.maxlen:
                self._missed += 1
            self._waiting.append(event)
            crowded = len(self._waiting) > self._most_patient
        self._ready.wake(may_wait=may_wait and not crowded)

    def end(self) -> None:
        """Let the reader end after the events that wait. Called from any thread."""
        with self._lock:
            self._ended = True
        self._ready.end()

    async def _join(self) -> None:
        await self._source.join(self)
