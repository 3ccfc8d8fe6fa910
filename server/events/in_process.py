"""The event bus within one server process."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pydantic import ValidationError

from models.errors import Unavailable
from server.core.structlog_import import structlog
from server.events.deliveries import dead_letter
from server.events.subscriptions import MOST_WAITING, QueuedSubscription
from server.events.topics import Event, Message, Topic, ValueT, dead_letters_of
from server.events.work_queue import MOST_QUEUED, QueueConsumer, WorkQueue

_log = structlog.get_logger("imageflow.server")


class InProcessBus:
    """Serves one server process; publishing never waits.

    What waits for a consumer group ends with the process.

    Args:
        most_waiting: events kept for a subscriber that has fallen behind; then it loses the oldest.
        most_queued: events that may wait for a consumer group.
    """

    def __init__(self, most_waiting: int = MOST_WAITING, most_queued: int = MOST_QUEUED) -> None:
        self._most_waiting = most_waiting
        self._most_queued = most_queued
        self._lock = threading.Lock()
        # Weak: a reader that leaves its loop without closing is forgotten with it.
        self._readers: dict[str, weakref.WeakSet[QueuedSubscription[Any]]] = {}
        self._groups: dict[str, dict[str, WorkQueue]] = {}
        self._closed = False

    def publish(self, topic: Topic[ValueT], key: str, value: ValueT) -> None:
        """Publish an event, from any thread and without waiting for a reader.

        Raises:
            TypeError: when ``value`` is not of the topic's model. A bug.
            RuntimeError: when the bus is closed. A bug.
            Unavailable: ``events-backlog``.
        """
        topic.require(value)
        with self._lock:
            self._require_open()
            queues = self._queues(topic.name, topic.groups)
            message = Message(topic.name, key, topic.to_json(value) if queues else b"", groups=topic.groups)
            _offer_to_groups(queues, message)
            # Within the lock, so that all readers see events of several publishers in one order.
            for reader in self._readers.get(topic.name, ()):
                reader.offer(Event(key, value, message.id))

    def send(self, message: Message) -> Future[None]:
        """Publish a message; what is returned is done already.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """
        done: Future[None] = Future()
        with self._lock:
            self._require_open()
            try:
                _offer_to_groups(self._queues(message.topic, message.groups), message)
            except Unavailable as error:
                done.set_exception(error)
                return done
            for reader in self._readers.get(message.topic, ()):
                _offer(reader, message)
        done.set_result(None)
        return done

    def subscribe(
        self, topic: Topic[ValueT], wanted: Callable[[ValueT], bool] | None = None
    ) -> QueuedSubscription[ValueT]:
        """Return a subscription to the wanted events, or to all: ``async for event in bus.subscribe(topic)``.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """
        with self._lock:
            self._require_open()
        return QueuedSubscription(self, topic, self._most_waiting, wanted)

    def consume(self, topic: Topic[ValueT], group: str) -> QueueConsumer[ValueT]:
        """Return a new member of a consumer group: ``async for delivery in bus.consume(topic, group)``.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """
        with self._lock:
            self._require_open()
            return QueueConsumer(self._queue(topic.name, group), topic)

    def check(self) -> None:
        """Check that the bus is open; nothing else can fail within the process.

        Raises:
            Unavailable: ``events-closed``.
        """
        with self._lock:
            if self._closed:
                raise Unavailable("events-closed")

    def close(self) -> None:
        """End every subscription and consumer, from any thread; nothing can be published afterwards."""
        with self._lock:
            self._closed = True
            readers = [reader for readers in self._readers.values() for reader in readers]
            queues = [queue for queues in self._groups.values() for queue in queues.values()]
            self._readers.clear()
        for reader in readers:
            reader.end()
        for queue in queues:
            queue.close()

    async def join(self, reader: QueuedSubscription[Any]) -> None:
        """Add a reader; on a closed bus it ends at once."""
        with self._lock:
            if not self._closed:
                self._readers.setdefault(reader.topic.name, weakref.WeakSet()).add(reader)
                return
        reader.end()

    def leave(self, reader: QueuedSubscription[Any]) -> None:
        """Remove a reader; nothing happens when it is not there."""
        with self._lock:
            self._readers.get(reader.topic.name, weakref.WeakSet()).discard(reader)

    def _queues(self, topic: str, groups: tuple[str, ...]) -> list[WorkQueue]:
        """Return the queues of a topic's groups: those named and those that have been joined."""
        for group in groups:
            self._queue(topic, group)
        return list(self._groups.get(topic, {}).values())

    def _queue(self, topic: str, group: str) -> WorkQueue:
        queues = self._groups.setdefault(topic, {})
        if group not in queues:
            queues[group] = WorkQueue(group, self._reject, self._most_queued)
        return queues[group]

    def _reject(self, message: Message, group: str, reason: str) -> None:
        letter = dead_letter(message, group, reason)
        _log.error("event rejected", topic=message.topic, group=group, event_id=message.id, reason=letter.reason)
        dead = dead_letters_of(Topic(message.topic, type(letter)))
        with self._lock:
            for reader in self._readers.get(dead.name, ()):
                reader.offer(Event(message.key, letter, message.id))

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the bus is closed")


def _offer_to_groups(queues: list[WorkQueue], message: Message) -> None:
    for queue in queues:
        if not queue.offer(message):
            raise Unavailable("events-backlog", topic=message.topic)


def _offer(reader: QueuedSubscription[Any], message: Message) -> None:
    try:
        event = reader.topic.event(message)
    except ValidationError:
        _log.error("event of another model", topic=message.topic, event_id=message.id)
    else:
        reader.offer(event)
