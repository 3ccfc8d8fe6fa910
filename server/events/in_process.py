"""The event bus within one server process."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import deque
from types import TracebackType
from typing import Any, Generic, Self

from models.errors import Unavailable
from server.events.topics import Event, Topic, ValueT

MOST_WAITING = 1_000


class InProcessSubscription(Generic[ValueT]):
    """One reader's queue; publishers fill it from any thread, one task of one event loop empties it.

    Args:
        bus: that fills it.
        topic: whose events it gets.
        most_waiting: events kept for a reader that has fallen behind.
    """

    def __init__(self, bus: InProcessBus, topic: Topic[ValueT], most_waiting: int) -> None:
        self._bus = bus
        self._topic = topic
        self._lock = threading.Lock()
        self._waiting: deque[Event[ValueT]] = deque(maxlen=most_waiting)
        self._missed = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = asyncio.Event()
        self._ended = False

    @property
    def missed(self) -> int:
        """How many events were lost so far because the reader fell behind."""
        with self._lock:
            return self._missed

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> Event[ValueT]:
        """Wait for the next event."""
        self._begin()
        while True:
            self._ready.clear()
            with self._lock:
                if self._waiting:
                    return self._waiting.popleft()
                if self._ended:
                    raise StopAsyncIteration
            await self._ready.wait()

    async def __aenter__(self) -> Self:
        """Begin the subscription."""
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the subscription."""
        await self.aclose()

    async def aclose(self) -> None:
        """End the subscription; may be repeated."""
        self._bus.leave(self._topic.name, self)
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
        self._wake()

    def end(self) -> None:
        """Let the reader end after the events that wait. Called from any thread."""
        with self._lock:
            self._ended = True
        self._wake()

    def _begin(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._bus.join(self._topic.name, self)

    def _wake(self) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:
            # A reader whose loop has ended does not read any more.
            if not self._loop.is_closed():
                raise


class InProcessBus:
    """Serves one server process; publishing never waits.

    Args:
        most_waiting: events kept for a reader that has fallen behind; then it loses the oldest.
    """

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        # Weak: a reader that leaves its loop without closing is forgotten with it.
        self._readers: dict[str, weakref.WeakSet[InProcessSubscription[Any]]] = {}
        self._closed = False

    def publish(self, topic: Topic[ValueT], key: str, value: ValueT) -> None:
        """Publish an event, from any thread and without waiting for a reader.

        Raises:
            TypeError: when ``value`` is not of the topic's model. A bug.
            RuntimeError: when the bus is closed. A bug.
        """
        topic.require(value)
        event = Event(key, value)
        with self._lock:
            self._require_open()
            # Within the lock, so that all readers see events of several publishers in one order.
            for reader in self._readers.get(topic.name, ()):
                reader.offer(event)

    def subscribe(self, topic: Topic[ValueT]) -> InProcessSubscription[ValueT]:
        """Return a subscription: ``async for event in bus.subscribe(topic)``.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """
        with self._lock:
            self._require_open()
        return InProcessSubscription(self, topic, self._most_waiting)

    def check(self) -> None:
        """Check that the bus is open; nothing else can fail within the process.

        Raises:
            Unavailable: ``events-closed``.
        """
        with self._lock:
            if self._closed:
                raise Unavailable("events-closed")

    def close(self) -> None:
        """End every subscription, from any thread; nothing can be published afterwards."""
        with self._lock:
            self._closed = True
            readers = [reader for readers in self._readers.values() for reader in readers]
            self._readers.clear()
        for reader in readers:
            reader.end()

    def join(self, topic: str, reader: InProcessSubscription[Any]) -> None:
        """Add a reader; on a closed bus it ends at once."""
        with self._lock:
            if not self._closed:
                self._readers.setdefault(topic, weakref.WeakSet()).add(reader)
                return
        reader.end()

    def leave(self, topic: str, reader: InProcessSubscription[Any]) -> None:
        """Remove a reader; nothing happens when it is not there."""
        with self._lock:
            self._readers.get(topic, weakref.WeakSet()).discard(reader)

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the bus is closed")
