"""Events for one member of a consumer group: what it takes, and how it says that it has handled it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from pydantic import ValidationError

from models.clock import utc_now
from server.events.topics import DeadLetter, Event, Message, Topic, ValueT

Settle = Callable[[str | None], None]
"""Called once: with None for what was handled, else with the reason why it never can be."""
_LONGEST_REASON = 2_000


class Delivery(Generic[ValueT]):
    """An event for one member of a consumer group; delivered again unless it is settled.

    Args:
        event: the event.
        settle: called when it is settled.
    """

    def __init__(self, event: Event[ValueT], settle: Settle) -> None:
        self.event = event
        self._settle: Settle | None = settle

    @property
    def key(self) -> str:
        """The event's key."""
        return self.event.key

    @property
    def value(self) -> ValueT:
        """The event's value."""
        return self.event.value

    def ack(self) -> None:
        """Say that the event is handled: whatever it caused will last. From any thread."""
        self._finish(None)

    def reject(self, reason: str) -> None:
        """Move the event to the topic's dead letters: it never can be handled. From any thread.

        Args:
            reason: why, for the person who looks into it.
        """
        self._finish(reason)

    def _finish(self, reason: str | None) -> None:
        settle, self._settle = self._settle, None
        if settle is not None:
            settle(reason)


def delivery_of(topic: Topic[ValueT], message: Message, settle: Settle) -> Delivery[ValueT] | None:
    """Return the delivery of a message; None for one that is not of the topic's model, which is rejected at once."""
    try:
        event = topic.event(message)
    except ValidationError as error:
        settle(f"not a {topic.model.__name__}: {error.error_count()} faults, the first: {_first_fault(error)}")
        return None
    return Delivery(event, settle)


def dead_letter(message: Message, group: str, reason: str) -> DeadLetter:
    """Return the dead letter of a message."""
    return DeadLetter(
        topic=message.topic,
        group=group,
        key=message.key,
        event_id=message.id,
        reason=reason[:_LONGEST_REASON],
        data=message.data.decode(errors="backslashreplace"),
        refused_at=utc_now(),
    )


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, fault['loc'])) or '(whole)'}: {fault['msg']}"
