"""Topics that parts of the server publish to and subscribe to."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """What is told: topic, key (events of one key stay in order) and a JSON value."""

    topic: str
    key: str
    value: dict[str, Any]


class Subscription(Protocol):
    """A reader's own line of events."""

    def next(self, timeout: float) -> Event | None:
        """Return the next event, None when none came within ``timeout`` seconds."""


class EventBus(Protocol):
    """Publishes events to everyone who listens now."""

    def publish(self, topic: str, key: str, value: dict[str, Any]) -> None:
        """Tell ``value`` to every subscriber of ``topic``."""

    def subscribe(self, topic: str) -> Any:
        """Return a context manager that gives a ``Subscription`` and ends it."""

    def check(self) -> None:
        """Raise ``Unavailable`` when the bus does not answer."""

    def close(self) -> None:
        """Let go of everything; nothing can be published afterwards."""


class InProcessSubscription:
    """The events of one topic since the subscription began; a reader too slow loses the oldest."""

    def __init__(self, most: int) -> None:
        self._events: queue.Queue[Event] = queue.Queue(most)

    def next(self, timeout: float) -> Event | None:
        """Return the next event, None when none came within ``timeout`` seconds."""
        try:
            return self._events.get(timeout=timeout)
        except queue.Empty:
            return None

    def offer(self, event: Event) -> None:
        """Add an event, dropping the oldest when the reader has fallen behind."""
        while True:
            try:
                self._events.put_nowait(event)
            except queue.Full:
                self.next(0.0)
            else:
                return


class InProcessBus:
    """Serves one server process; never blocks the one who publishes.

    Args:
        most_waiting: events kept for a reader that has fallen behind.
    """

    def __init__(self, most_waiting: int = 1_000) -> None:
        self._most = most_waiting
        self._lock = threading.Lock()
        self._readers: dict[str, list[InProcessSubscription]] = {}
        self._closed = False

    def publish(self, topic: str, key: str, value: dict[str, Any]) -> None:
        """Tell ``value`` to every subscriber of ``topic``."""
        event = Event(topic, key, value)
        with self._lock:
            if self._closed:
                raise RuntimeError("the bus is closed")
            for reader in self._readers.get(topic, []):
                reader.offer(event)

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[InProcessSubscription]:
        """Give the events of ``topic`` from now on, until the block ends."""
        reader = InProcessSubscription(self._most)
        with self._lock:
            self._readers.setdefault(topic, []).append(reader)
        try:
            yield reader
        finally:
            with self._lock:
                self._readers.get(topic, [reader]).remove(reader)

    def check(self) -> None:
        """Nothing can fail in-process."""

    def close(self) -> None:
        """Let go of everything; nothing can be published afterwards."""
        with self._lock:
            self._closed = True
            self._readers.clear()
