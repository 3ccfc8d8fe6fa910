"""Building blocks of wire schemas: times, ids, lists, problem documents."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from models.clock import rfc3339
from models.ids import is_id

ItemT = TypeVar("ItemT")


def _canonical_id(text: str) -> str:
    if not is_id(text):
        raise ValueError("must be a UUID in canonical lower-case form")
    return text


def _storable(text: str) -> str:
    # PostgreSQL cannot keep it, and no name or comment needs it.
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be whole Unicode characters") from error
    return text


def storable_object(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what JSON cannot say (NaN, infinity) and what PostgreSQL cannot keep (NUL), at any depth."""
    left: list[Any] = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            left += part
        elif isinstance(part, float) and not math.isfinite(part):
            raise ValueError("must have finite numbers only")
        elif isinstance(part, str):
            _storable(part)
    return value


def _milliseconds(moment: datetime) -> datetime:
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_milliseconds),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    Field(description="RFC 3339, UTC, milliseconds."),
]
RecordId = Annotated[str, AfterValidator(_canonical_id), Field(max_length=36, description="UUIDv7.")]
Text = Annotated[str, AfterValidator(_storable)]
JsonObject = Annotated[dict[str, Any], AfterValidator(storable_object)]


class Request(BaseModel):
    """Base of what clients send: unknown members are a mistake and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(BaseModel):
    """Base of what the server answers: clients ignore members they do not know."""

    model_config = ConfigDict(extra="ignore", frozen=True, from_attributes=True)


class Page(Reply, Generic[ItemT]):
    """One page of a list."""

    items: list[ItemT]
    total_count: int = Field(ge=0)
    page: int = Field(ge=1)
    page_size: int = Field(ge=1)
    total_pages: int = Field(ge=0)


class ValidationProblem(Reply):
    """One rejected field of a request."""

    field: str = Field(description="Path of the field, joined by dots.")
    message: str
    value: Any = Field(default=None, description="What was sent; absent for secrets and large values.")


class Problem(Reply):
    """An error, RFC 9457."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(description="URI of the kind of problem; its last part is the code.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="Path of the request.")
    advice: str = Field(default="", description="What to do next.")
    request_id: str = Field(default="", description="Names the request in the server's log.")
    validation_errors: list[ValidationProblem] | None = Field(default=None, description="Rejected fields.")
    inspection_context: dict[str, str | None] | None = Field(
        default=None, description="Session, item and pipeline of an inspection error."
    )
