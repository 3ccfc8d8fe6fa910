"""One subscription of a topic for many listeners of one event loop, each interested in one key or in all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Self

from server.events.bus import EventBus, Subscription
from server.events.topics import Event, Topic, ValueT

MOST_WAITING = 256
_AT_ONCE = 64
"""Events passed on before the listeners' tasks run, though more wait: fewer than any listener keeps."""


class Listener(Generic[ValueT]):
    """The events of a topic for one client: ``async with hub.listen(topic, key) as listener``, then ``async for``.

    It begins with the block; what is published afterwards is not missed. A client that falls too far behind is not
    waited for: the iteration ends and ``fell_behind`` says so.

    Attributes:
        fell_behind: whether it ended because more events waited than are kept for one client.
        missed: whether events of the topic were lost on the way here: read the present state again, then clear it.
    """

    def __init__(self, hub: Hub, topic: Topic[ValueT], key: str | None, most_waiting: int) -> None:
        self.key = key
        self.fell_behind = False
        self.missed = False
        self._hub = hub
        self._topic = topic
        self._most_waiting = most_waiting
        self._waiting: deque[Event[ValueT]] = deque()
        self._ready = asyncio.Event()
        self._ended = False
        self._behind: Callable[[], object] | None = None

    def when_behind(self, act: Callable[[], object]) -> None:
        """Call ``act`` once when the client falls too far behind: it may wait for something else at that time."""
        self._behind = act

    async def __aenter__(self) -> Self:
        """Begin to listen.

        Raises:
            Unavailable: when the bus cannot be reached.
        """
        feed = await self._hub.feed(self._topic)
        feed.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._hub.forget(self._topic, self)

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> Event[ValueT]:
        """Wait for the next event; ends with the bus, or when the client fell behind or has gone."""
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        if self.fell_behind:
            raise StopAsyncIteration
        return self._waiting.popleft()

    def offer(self, event: Event[ValueT]) -> None:
        """Add an event."""
        if self._ended:
            return
        if len(self._waiting) >= self._most_waiting:
            self.fell_behind = True
            self.end()
            if self._behind is not None:
                self._behind()
            return
        self._waiting.append(event)
        self._ready.set()

    def end(self) -> None:
        """Let the iteration end."""
        self._ended = True
        self._ready.set()


class Feed:
    """The listeners of one topic and the task that reads its events.

    Args:
        bus: the event bus.
        topic: the topic.
    """

    def __init__(self, bus: EventBus, topic: Topic[Any]) -> None:
        self._bus = bus
        self._topic = topic
        self._by_key: dict[str | None, set[Listener[Any]]] = {}
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reading = asyncio.create_task(self._read())

    def add(self, listener: Listener[Any]) -> None:
        """Offer events to a listener from now on."""
        if self.reading.done():
            listener.end()
        self._by_key.setdefault(listener.key, set()).add(listener)

    def remove(self, listener: Listener[Any]) -> None:
        """Offer no more events to a listener."""
        of_key = self._by_key.get(listener.key, set())
        of_key.discard(listener)
        if not of_key:
            self._by_key.pop(listener.key, None)

    async def _read(self) -> None:
        try:
            async with self._bus.subscribe(self._topic) as events:
                self.begun.set_result(None)
                await self._pass_on(events)
        except Exception as error:
            if self.begun.done():
                raise
            self.begun.set_exception(error)
        finally:
            for listener in self._all():
                listener.end()

    async def _pass_on(self, events: Subscription[Any]) -> None:
        missed = passed = 0
        async for event in events:
            if events.missed != missed:
                missed = events.missed
                for listener in self._all():
                    listener.missed = True
            for listener in (*self._by_key.get(event.key, ()), *self._by_key.get(None, ())):
                listener.offer(event)
            passed += 1
            if passed % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _all(self) -> list[Listener[Any]]:
        return [listener for of_key in self._by_key.values() for listener in of_key]


class Hub:
    """Gives the clients of one event loop the events they listen to, whatever their number, by one reader a topic.

    Args:
        bus: the event bus; the hub's readers end with it.
    """

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._feeds: dict[str, Feed] = {}

    def listen(
        self, topic: Topic[ValueT], key: str | None = None, most_waiting: int = MOST_WAITING
    ) -> Listener[ValueT]:
        """Return a listener to the events of a key, or of all keys.

        Args:
            topic: the topic.
            key: None takes every key.
            most_waiting: events that are kept for a client that does not take them at once.
        """
        return Listener(self, topic, key, most_waiting)

    async def feed(self, topic: Topic[Any]) -> Feed:
        """Return the running feed of a topic.

        Raises:
            Unavailable: when the bus cannot be reached.
        """
        feed = self._feeds.get(topic.name)
        if feed is None or feed.reading.done():
            feed = self._feeds[topic.name] = Feed(self._bus, topic)
        # A client that goes away meanwhile does not end the beginning that others wait for.
        await asyncio.shield(feed.begun)
        return feed

    def forget(self, topic: Topic[Any], listener: Listener[Any]) -> None:
        """Offer no more events to a listener; nothing happens when it is not there."""
        feed = self._feeds.get(topic.name)
        if feed is not None:
            feed.remove(listener)
