"""The events of one consumer group within a process, given to its members one after the other for each key."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic

from server.events.deliveries import Delivery, delivery_of
from server.events.reader import LoopReader
from server.events.topics import Message, Topic, ValueT

MOST_QUEUED = 100_000
Rejected = Callable[[Message, str, str], None]
"""Called with a message, the consumer group and the reason why it can never be handled."""


class WorkQueue:
    """What waits for a consumer group; safe to use from any thread.

    A key is in the line of keys that are free, in hand, or without messages: so each step takes constant time.

    Args:
        group: name of the consumer group.
        rejected: takes what its members reject.
        most_queued: messages that may wait.
    """

    def __init__(self, group: str, rejected: Rejected, most_queued: int = MOST_QUEUED) -> None:
        self._group = group
        self._rejected = rejected
        self._most_queued = most_queued
        self._lock = threading.Lock()
        self._by_key: dict[str, deque[Message]] = {}
        self._free: deque[str] = deque()
        self._in_hand: dict[str, LoopReader] = {}
        self._members: list[LoopReader] = []
        self._queued = 0
        self._closed = False

    def offer(self, message: Message) -> bool:
        """Add a message and return True; False when no more can wait."""
        with self._lock:
            if self._queued >= self._most_queued:
                return False
            self._queued += 1
            of_key = self._by_key.get(message.key)
            if of_key is None:
                self._by_key[message.key] = deque([message])
                self._free.append(message.key)
            else:
                of_key.append(message)
        self._wake()
        return True

    def take(self, member: LoopReader) -> Message | None:
        """Return the next message of a key that is free; None when there is none now.

        Raises:
            StopAsyncIteration: when the queue is closed.
        """
        with self._lock:
            if self._closed or member not in self._members:
                raise StopAsyncIteration
            if not self._free:
                return None
            key = self._free.popleft()
            self._in_hand[key] = member
            return self._by_key[key][0]

    def settle(self, message: Message, member: LoopReader, reason: str | None) -> None:
        """Note that a member has handled or rejected its message; nothing happens when it has left meanwhile."""
        with self._lock:
            if self._in_hand.get(message.key) is not member:
                return
            del self._in_hand[message.key]
            of_key = self._by_key[message.key]
            of_key.popleft()
            self._queued -= 1
            if of_key:
                self._free.append(message.key)
            else:
                del self._by_key[message.key]
        if reason is not None:
            self._rejected(message, self._group, reason)
        self._wake()

    def join(self, member: LoopReader) -> None:
        """Add a member of the group."""
        with self._lock:
            self._members.append(member)

    def leave(self, member: LoopReader) -> None:
        """Remove a member; what it has in hand goes to the others, before what waits."""
        with self._lock:
            if member in self._members:
                self._members.remove(member)
            for key in [key for key, holder in self._in_hand.items() if holder is member]:
                del self._in_hand[key]
                self._free.appendleft(key)
        member.wake()
        self._wake()

    def close(self) -> None:
        """End every member."""
        with self._lock:
            self._closed = True
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            members = list(self._members)
        for member in members:
            member.wake()


class QueueConsumer(LoopReader, Generic[ValueT]):
    """One member of a consumer group within a process.

    Args:
        queue: of the group.
        topic: whose events it gets.
    """

    def __init__(self, queue: WorkQueue, topic: Topic[ValueT]) -> None:
        super().__init__()
        self._queue = queue
        self._topic = topic

    async def __anext__(self) -> Delivery[ValueT]:
        """Wait for the next event of a key that is free."""
        await self._begin()
        while True:
            self._ready.clear()
            message = self._queue.take(self)
            if message is None:
                await self._ready.wait()
                continue
            delivery = delivery_of(self._topic, message, self._settle(message))
            if delivery is not None:
                return delivery

    async def aclose(self) -> None:
        """Leave the group; may be repeated."""
        self._queue.leave(self)

    async def _join(self) -> None:
        self._queue.join(self)

    def _settle(self, message: Message) -> Callable[[str | None], None]:
        return lambda reason: self._queue.settle(message, self, reason)
