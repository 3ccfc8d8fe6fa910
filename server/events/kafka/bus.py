"""The event bus on Kafka: events reach every process; a consumer group shares those of a topic among its members."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from models.errors import Unavailable
from server.events.kafka.client_log import CLIENT_LOG
from server.events.kafka.fanout import Fanout
from server.events.kafka.group import GroupMember
from server.events.kafka.options import KafkaOptions
from server.events.kafka.publisher import Publisher
from server.events.kafka.topic_admin import TopicAdmin
from server.events.subscriptions import MOST_WAITING, QueuedSubscription
from server.events.topics import Message, Topic, ValueT


class KafkaBus:
    """Sends on threads of its own; the event loop never waits for a broker.

    Args:
        options: how the brokers are reached.
        most_waiting: events kept for a subscriber that has fallen behind; then it loses the oldest.
    """

    def __init__(self, options: KafkaOptions, most_waiting: int = MOST_WAITING) -> None:
        self._options = options
        self._most_waiting = most_waiting
        self._topics = TopicAdmin(options)
        self._publisher = Publisher(options, self._topics)
        self._fanout = Fanout(options, self._topics, self._publisher)
        self._lock = threading.Lock()
        self._members: list[GroupMember[Any]] = []
        self._closed = False

    def publish(self, topic: Topic[ValueT], key: str, value: ValueT) -> None:
        """Publish an event, from any thread and without waiting; one that no broker takes in time is logged.

        Raises:
            TypeError: when ``value`` is not of the topic's model. A bug.
            RuntimeError: when the bus is closed. A bug.
            Unavailable: ``events-backlog`` when the topic has consumer groups and no more events can wait.
        """
        sent = self.send(Message(topic.name, key, topic.to_json(value), groups=topic.groups))
        if topic.groups and sent.done() and isinstance(sent.exception(), Unavailable):
            sent.result()
        sent.add_done_callback(lambda done: _log_failure(topic.name, done))

    def send(self, message: Message) -> Future[None]:
        """Publish a message and return what is done once the broker has it.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """
        self._require_open()
        return self._publisher.send(message)

    def subscribe(
        self, topic: Topic[ValueT], wanted: Callable[[ValueT], bool] | None = None
    ) -> QueuedSubscription[ValueT]:
        """Return a subscription to the wanted events, or to all: ``async for event in bus.subscribe(topic)``.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """
        self._require_open()
        return QueuedSubscription(self._fanout, topic, self._most_waiting, wanted)

    def consume(self, topic: Topic[ValueT], group: str) -> GroupMember[ValueT]:
        """Return a new member of a consumer group: ``async for delivery in bus.consume(topic, group)``.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """
        self._require_open()
        member = GroupMember(self._options, self._topics, self._publisher.send, topic, group)
        with self._lock:
            self._members.append(member)
        return member

    def check(self) -> None:
        """Check that a broker answers.

        Raises:
            Unavailable: ``events-closed`` or ``events-unreachable``.
        """
        if self._closed:
            raise Unavailable("events-closed")
        self._topics.check()

    def close(self) -> None:
        """End every subscription and consumer and send what waits, for some seconds; from any thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            members = list(self._members)
        for member in members:
            member.end()
        self._fanout.close()
        for member in members:
            member.ended()
        self._publisher.close()

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the bus is closed")


def _log_failure(topic: str, done: Future[None]) -> None:
    error = done.exception()
    if error is not None:
        CLIENT_LOG.report("event not published", error, topic=topic)
