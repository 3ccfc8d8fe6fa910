"""Topics, the events under them, and the form in which an event travels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from models.ids import new_id

ValueT = TypeVar("ValueT", bound=BaseModel)

_DEAD = ".dead-letter"


def _never(value: BaseModel) -> bool:
    del value
    return False


@dataclass(frozen=True, slots=True)
class Topic(Generic[ValueT]):
    """A kind of event.

    Attributes:
        name: of the topic on the bus, kebab-case.
        model: what its events are; frozen, since every reader gets the same object.
        groups: consumer groups that get every event, also one published before their first consumer is there. A broker
            keeps events for all groups by itself; the bus within a process keeps them for these.
        may_wait: tells of a value whether a subscriber may get its event a moment later, together with others. Called
            by whoever passes it on, on any thread.
    """

    name: str
    model: type[ValueT]
    groups: tuple[str, ...] = ()
    may_wait: Callable[[ValueT], bool] = _never

    def to_json(self, value: ValueT) -> bytes:
        """Return an event's value as JSON, UTF-8.

        Raises:
            TypeError: when it is not of this topic's model. A bug.
        """
        self.require(value)
        return value.model_dump_json(by_alias=True).encode()

    def from_json(self, data: bytes) -> ValueT:
        """Return the value of an event from its JSON.

        Raises:
            ValidationError: when it is not of this topic's model.
        """
        return self.model.model_validate_json(data)

    def event(self, message: Message) -> Event[ValueT]:
        """Return the event of a message.

        Raises:
            ValidationError: when its value is not of this topic's model.
        """
        return Event(message.key, self.from_json(message.data), message.id)

    def require(self, value: BaseModel) -> None:
        """Check that a value is of this topic's model.

        Raises:
            TypeError: when it is not. A bug.
        """
        if not isinstance(value, self.model):
            raise TypeError(f"{self.name} carries {self.model.__name__}, not {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Event(Generic[ValueT]):
    """One event.

    Attributes:
        key: events of one key keep their order.
        value: of the topic's model.
        id: of the event; the same when it is delivered again.
    """

    key: str
    value: ValueT
    id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it travels.

    Attributes:
        topic: name of its topic.
        key: events of one key keep their order.
        data: its value as JSON, UTF-8.
        id: of the event.
        groups: as its topic's.
    """

    topic: str
    key: str
    data: bytes
    id: str = field(default_factory=new_id)
    groups: tuple[str, ...] = ()


class DeadLetter(BaseModel):
    """An event that a consumer group could not handle.

    Attributes:
        topic: where it came from.
        group: the consumer group.
        key: of the event.
        event_id: of the event.
        reason: why it was refused.
        data: its value as it came; what is no UTF-8 is escaped.
        refused_at: when.
    """

    model_config = ConfigDict(frozen=True)

    topic: str
    group: str
    key: str
    event_id: str
    reason: str
    data: str
    refused_at: datetime


def dead_letters_of(topic: Topic[ValueT]) -> Topic[DeadLetter]:
    """Return the topic of what the consumer groups of a topic could not handle."""
    return Topic(topic.name + _DEAD, DeadLetter)
