"""The event bus: what any implementation offers, whether the events stay in this process or travel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Protocol, Self

from server.events.deliveries import Delivery
from server.events.topics import Event, Message, Topic, ValueT


class Subscription(Protocol[ValueT]):
    """The events of one topic, for one reader in one event loop.

    It begins when an ``async with`` block is entered, else with the first step of an ``async for``; what is published
    before that is not seen. It ends with the block, with ``aclose``, or when the bus is closed: the events that wait
    come first, then the iteration ends. A reader that falls too far behind loses the oldest events, never holds up who
    publishes, and finds how many it lost in ``missed``: it then reads the present state from its source again.

    What its topic lets wait may come together with what follows, some hundredths of a second later at most; anything
    else comes at once. Events keep their order.
    """

    @property
    def missed(self) -> int:
        """How many events were lost so far because the reader fell behind."""

    def __aiter__(self) -> Self:
        """Return itself."""

    async def __anext__(self) -> Event[ValueT]:
        """Wait for the next event."""

    async def __aenter__(self) -> Self:
        """Begin the subscription."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the subscription."""

    async def aclose(self) -> None:
        """End the subscription; may be repeated."""


class Consumer(Protocol[ValueT]):
    """One member of a consumer group: each event of the topic goes to one member of the group, at least once.

    Events of one key come one after the other: the next one when the one before is settled. Different keys may be
    handled at the same time. What a member has taken and not settled when it ends goes to another one.
    """

    def __aiter__(self) -> Self:
        """Return itself."""

    async def __anext__(self) -> Delivery[ValueT]:
        """Wait for the next event of a key that is free; ends when the bus is closed."""

    async def __aenter__(self) -> Self:
        """Join the group."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the group."""

    async def aclose(self) -> None:
        """Leave the group; may be repeated."""


class EventBus(Protocol):
    """Publishes typed events to everyone who is subscribed, and to each consumer group once."""

    def publish(self, topic: Topic[ValueT], key: str, value: ValueT) -> None:
        """Publish an event, from any thread and without waiting for a reader or a broker.

        What must not be lost goes through ``server.events.outbox`` instead.

        Args:
            topic: its kind.
            key: events of one key keep their order.
            value: of the topic's model.

        Raises:
            TypeError: when ``value`` is not of the topic's model. A bug.
            RuntimeError: when the bus is closed. A bug.
            Unavailable: ``events-backlog`` when the topic has consumer groups and no more events can wait for them.
        """

    def send(self, message: Message) -> Future[None]:
        """Publish a message and return what is done once it is kept for its readers, by the broker where there is one.

        Its failure is an ``Unavailable``. Called from any thread, never waits.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """

    def subscribe(self, topic: Topic[ValueT], wanted: Callable[[ValueT], bool] | None = None) -> Subscription[ValueT]:
        """Return a subscription: ``async for event in bus.subscribe(topic)``.

        Args:
            topic: whose events it gets.
            wanted: tells of a value whether the reader wants its event; None for all. What it does not want takes no
                room, is never missed and does not wake it. Called by whoever passes an event on, on any thread: it
                takes moments and raises nothing.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """

    def consume(self, topic: Topic[ValueT], group: str) -> Consumer[ValueT]:
        """Return a new member of a consumer group: ``async for delivery in bus.consume(topic, group)``.

        An event that is not of the topic's model goes to its dead letters by itself.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """

    def check(self) -> None:
        """Check that the bus answers.

        Raises:
            Unavailable: when it does not.
        """

    def close(self) -> None:
        """End every subscription and consumer, from any thread; nothing can be published afterwards."""
