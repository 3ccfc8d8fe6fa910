"""Every event of some topics for every subscriber of this process, by one consumer that is in no group."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from pydantic import ValidationError

from models.ids import new_id
from server.events.kafka.client_log import CLIENT_LOG
from server.events.kafka.options import KafkaOptions, logger, placed
from server.events.kafka.publisher import Publisher
from server.events.kafka.topic_admin import TopicAdmin
from server.events.subscriptions import QueuedSubscription

_POLL_S = 0.1
_Ends = dict[int, int]
"""The offset that comes next, by partition."""


class Fanout:
    """Reads on a thread of its own, from the ends that topics have when their first subscriber comes.

    Args:
        options: of the bus.
        topics: makes sure that topics are there.
        publisher: of the bus; what it was given before a subscriber came is not for that one.
    """

    def __init__(self, options: KafkaOptions, topics: TopicAdmin, publisher: Publisher) -> None:
        self._options = options
        self._topics = topics
        self._publisher = publisher
        self._lock = threading.Lock()
        self._readers: dict[str, list[tuple[QueuedSubscription[Any], _Ends]]] = {}
        self._assigned: set[str] = set()
        self._to_assign: list[TopicPartition] = []
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    async def join(self, reader: QueuedSubscription[Any]) -> None:
        """Begin to offer events to a reader; on a closed bus it ends at once.

        Raises:
            Unavailable: ``events-unreachable`` or ``events-topic-missing``.
        """
        await asyncio.to_thread(self._join, reader)

    def leave(self, reader: QueuedSubscription[Any]) -> None:
        """Offer no more events to a reader."""
        with self._lock:
            name = reader.topic.name
            self._readers[name] = [one for one in self._readers.get(name, []) if one[0] is not reader]

    def close(self) -> None:
        """End every subscription."""
        self._closing.set()
        with self._lock:
            readers = [reader for of_topic in self._readers.values() for reader, _ in of_topic]
            self._readers.clear()
        for reader in readers:
            reader.end()
        if self._thread is not None:
            self._thread.join()

    def _join(self, reader: QueuedSubscription[Any]) -> None:
        name = reader.topic.name
        self._topics.ensure(name)
        self._publisher.settle(self._options.request_timeout_s)
        ends = self._topics.ends(name)
        with self._lock:
            if self._closing.is_set():
                reader.end()
                return
            if name not in self._assigned:
                full_name = self._options.full_name(name)
                self._to_assign.extend(TopicPartition(full_name, *one) for one in ends.items())
                self._assigned.add(name)
            self._readers.setdefault(name, []).append((reader, ends))
            if self._thread is None:
                self._thread = threading.Thread(target=self._read, name="kafka-fanout", daemon=True)
                self._thread.start()

    def _read(self) -> None:
        # This thread alone works with the consumer: another one would wait for its lock for seconds.
        consumer = Consumer(self._options.reader(f"subscriber-{new_id()}"))
        while not self._closing.is_set():
            with self._lock:
                places, self._to_assign = self._to_assign, []
            if places:
                consumer.incremental_assign(places)
            found = consumer.poll(_POLL_S)
            if found is None:
                continue
            if found.error() is not None:
                CLIENT_LOG.report("events not read", found.error())
                continue
            topic = str(found.topic()).removeprefix(self._options.prefix)
            message = placed(topic, found)
            with self._lock:
                readers = list(self._readers.get(topic, ()))
            for reader, ends in readers:
                if message.offset >= ends.get(message.partition, 0):
                    try:
                        reader.offer(reader.topic.event(message))
                    except ValidationError:
                        logger.error("event %s of %s is of another model", message.id, topic)
        consumer.close()
