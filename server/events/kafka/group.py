"""One member of a consumer group: fetches on a thread of its own, commits what is settled, drains what it gives up."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic

from confluent_kafka import Consumer, KafkaException, TopicPartition

from server.events.deliveries import Delivery, dead_letter, delivery_of
from server.events.kafka.client_log import CLIENT_LOG
from server.events.kafka.options import KafkaOptions, PlacedMessage, logger, placed
from server.events.kafka.topic_admin import TopicAdmin
from server.events.reader import LoopReader
from server.events.topics import Message, Topic, ValueT, dead_letters_of
from server.events.work_queue import WorkQueue

_POLL_S = 0.05
_MOST_FETCHED = 500
_CLOSE_S = 10.0


class _Assignment:
    """The partitions of a member between two rebalances.

    Args:
        queue: what was fetched.
    """

    def __init__(self, queue: WorkQueue) -> None:
        self.queue = queue
        self._changed = threading.Condition()
        self._fetched: dict[int, deque[int]] = {}
        self._settled: dict[int, set[int]] = {}
        self._next: dict[int, int] = {}
        self._in_hand = 0
        self._open = True

    def fetched(self, message: PlacedMessage) -> None:
        """Note a message before it is offered."""
        with self._changed:
            self._fetched.setdefault(message.partition, deque()).append(message.offset)

    def take(self, member: LoopReader) -> Message | None:
        """Return the next message for a member; None when there is none, or no more are given."""
        with self._changed:
            if not self._open:
                return None
            message = self.queue.take(member)
            self._in_hand += message is not None
            return message

    def released(self) -> None:
        """Note that a message is in hand no longer."""
        with self._changed:
            self._in_hand -= 1
            self._changed.notify_all()

    def settled(self, message: PlacedMessage) -> None:
        """Note that a message need not be delivered again."""
        with self._changed:
            settled = self._settled.setdefault(message.partition, set())
            settled.add(message.offset)
            fetched = self._fetched[message.partition]
            while fetched and fetched[0] in settled:
                offset = fetched.popleft()
                settled.discard(offset)
                self._next[message.partition] = offset + 1

    def backlog(self) -> int:
        """Return how many messages were fetched and are not settled."""
        with self._changed:
            return sum(map(len, self._fetched.values()))

    def to_commit(self) -> _Offsets:
        """Return, by partition, up to where everything is settled, once."""
        with self._changed:
            found, self._next = self._next, {}
            return found

    def drain(self, timeout_s: float) -> None:
        """Give out nothing more and wait for what is in hand."""
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: not self._in_hand, timeout_s)


_Offsets = dict[int, int]


class GroupMember(LoopReader, Generic[ValueT]):
    """A member of a consumer group at a broker.

    Args:
        options: of the bus.
        topics: makes sure that the topic is there.
        send: publishes dead letters.
        topic: whose events it gets.
        group: name of the group.
    """

    def __init__(
        self,
        options: KafkaOptions,
        topics: TopicAdmin,
        send: Callable[[Message], Future[None]],
        topic: Topic[ValueT],
        group: str,
    ) -> None:
        super().__init__()
        self._options = options
        self._topics = topics
        self._send = send
        self._topic = topic
        self._group = group
        self._assignment: _Assignment | None = None
        self._unburied: deque[tuple[_Assignment, PlacedMessage, Message]] = deque()
        self._ending = threading.Event()
        self._leaving = False
        self._thread: threading.Thread | None = None

    async def __anext__(self) -> Delivery[ValueT]:
        """Wait for the next event of a key that is free."""
        await self._begin()
        while True:
            self._ready.clear()
            if self._ending.is_set():
                raise StopAsyncIteration
            assignment = self._assignment
            message = assignment.take(self) if assignment is not None else None
            if assignment is None or not isinstance(message, PlacedMessage):
                await self._ready.wait()
                continue
            delivery = delivery_of(self._topic, message, self._settle(assignment, message))
            if delivery is not None:
                return delivery

    async def aclose(self) -> None:
        """Leave the group; what is in hand goes to another member. May be repeated."""
        self._leaving = True
        self.end()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, _CLOSE_S)

    def end(self) -> None:
        """End from any thread: what is in hand has some seconds to be settled, unless ``aclose`` came first."""
        self._ending.set()
        self.wake()

    def ended(self) -> None:
        """Wait until the member has left the group, for some seconds."""
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    async def _join(self) -> None:
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self._topics.ensure(self._topic.name)
        if self._thread is None and not self._ending.is_set():
            consumer = Consumer(self._options.reader(self._group))
            callbacks = {"on_assign": self._assigned, "on_revoke": self._revoked, "on_lost": self._lost}
            consumer.subscribe([self._options.full_name(self._topic.name)], **callbacks)
            self._thread = threading.Thread(
                target=self._fetch, args=(consumer,), name=f"kafka-{self._group}", daemon=True
            )
            self._thread.start()

    def _fetch(self, consumer: Consumer) -> None:
        paused = False
        while not self._ending.is_set():
            found = consumer.poll(_POLL_S)
            assignment = self._assignment
            if found is not None and found.error() is not None:
                CLIENT_LOG.report("events not consumed", found.error())
            elif found is not None and assignment is not None:
                message = placed(self._topic.name, found)
                assignment.fetched(message)
                assignment.queue.offer(message)
            if assignment is not None:
                full = assignment.backlog() >= _MOST_FETCHED
                if full != paused:
                    (consumer.pause if full else consumer.resume)(consumer.assignment())
                    paused = full
                self._commit(consumer, assignment, wait=False)
            self._bury_again()
        consumer.close()  # Gives up the partitions, which commits.

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        del consumer, partitions
        queue = WorkQueue(self._group, lambda *_: None)
        queue.join(self)
        self._assignment = _Assignment(queue)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        del partitions
        assignment, self._assignment = self._assignment, None
        if assignment is not None:
            assignment.drain(0 if self._leaving else self._options.drain_s)
            self._commit(consumer, assignment, wait=True)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Another member has them already.
        del consumer, partitions
        self._assignment = None

    def _commit(self, consumer: Consumer, assignment: _Assignment, *, wait: bool) -> None:
        offsets = assignment.to_commit()
        if not offsets:
            return
        name = self._options.full_name(self._topic.name)
        places = [TopicPartition(name, *one) for one in offsets.items()]
        try:
            if wait:
                consumer.commit(offsets=places, asynchronous=False)
            else:
                consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as error:
            # Delivered again then, which consumers must expect anyway.
            CLIENT_LOG.report("settled events not committed", error)

    def _settle(self, assignment: _Assignment, message: PlacedMessage) -> Callable[[str | None], None]:
        def settle(reason: str | None) -> None:
            if reason is None:
                assignment.settled(message)
            else:
                self._bury(assignment, message, reason)
            assignment.queue.settle(message, self, reason)
            assignment.released()

        return settle

    def _bury(self, assignment: _Assignment, message: PlacedMessage, reason: str) -> None:
        """Move a message to the dead letters; it is settled once the broker has it there."""
        letter = dead_letter(message, self._group, reason)
        logger.error("event %s of %s rejected: %s", message.id, message.topic, letter.reason)
        topic = dead_letters_of(self._topic)
        self._send_letter(assignment, message, Message(topic.name, message.key, topic.to_json(letter), message.id))

    def _send_letter(self, assignment: _Assignment, message: PlacedMessage, letter: Message) -> None:
        def sent(done: Future[None]) -> None:
            if done.exception() is None:
                assignment.settled(message)
            else:
                self._unburied.append((assignment, message, letter))

        self._send(letter).add_done_callback(sent)

    def _bury_again(self) -> None:
        """Send dead letters that the broker has not taken: what comes after them is not committed before."""
        for _ in range(len(self._unburied)):
            assignment, message, letter = self._unburied.popleft()
            # What was in hand at a rebalance comes again, to whoever has it then.
            if assignment is self._assignment:
                self._send_letter(assignment, message, letter)
