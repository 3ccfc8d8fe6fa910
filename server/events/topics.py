"""Topics: the name that events travel under, and the model that each of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

ValueT = TypeVar("ValueT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Topic(Generic[ValueT]):
    """A kind of event.

    Attributes:
        name: of the topic on the bus, kebab-case.
        model: what its events are; frozen, since every reader gets the same object.
    """

    name: str
    model: type[ValueT]

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
    """

    key: str
    value: ValueT
