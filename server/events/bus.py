"""The event bus: what any implementation offers, whether the events stay in this process or travel."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from server.events.topics import Event, Topic, ValueT


class Subscription(Protocol[ValueT]):
    """The events of one topic, for one reader in one event loop.

    It begins when an ``async with`` block is entered, else with the first step of an ``async for``; what is published
    before that is not seen. It ends with the block, with ``aclose``, or when the bus is closed: the events that wait
    come first, then the iteration ends. A reader that falls too far behind loses the oldest events, never holds up who
    publishes, and finds how many it lost in ``missed``: it then reads the present state from its source again.
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


class EventBus(Protocol):
    """Publishes typed events to everyone who is subscribed at that moment."""

    def publish(self, topic: Topic[ValueT], key: str, value: ValueT) -> None:
        """Publish an event, from any thread and without waiting for a reader.

        Args:
            topic: its kind.
            key: events of one key keep their order.
            value: of the topic's model.

        Raises:
            TypeError: when ``value`` is not of the topic's model. A bug.
            RuntimeError: when the bus is closed. A bug.
        """

    def subscribe(self, topic: Topic[ValueT]) -> Subscription[ValueT]:
        """Return a subscription: ``async for event in bus.subscribe(topic)``.

        Raises:
            RuntimeError: when the bus is closed. A bug.
        """

    def check(self) -> None:
        """Check that the bus answers.

        Raises:
            Unavailable: when it does not.
        """

    def close(self) -> None:
        """End every subscription, from any thread; nothing can be published afterwards."""
