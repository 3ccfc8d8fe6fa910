"""Building blocks of wire schemas: times, ids, lists, problem documents."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictFloat,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from models.clock import rfc3339
from models.ids import canonical_id, is_id
from models.names import LONGEST_CODE, LONGEST_NAME, compatible, is_clear_name, names_no_person
from models.rejections import MORE_UNKNOWN, RejectedValueError

ItemT = TypeVar("ItemT")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_MOST_UNKNOWN = 50
_SEEN, _MARK = r"[^\x00-\x1f\x7f-\x9f\xad]", r"[^\s\x00-\x1f\x7f-\x9f\xad]"
_NOT_BLANK = rf"^{_SEEN}*{_MARK}{_SEEN}*$"
"""What a pattern can say of the rules of names, which go by the Unicode database."""


def _canonical_id(text: str) -> str:
    text = canonical_id(text)
    if not is_id(text):
        raise RejectedValueError("value-id-form")
    return text


def _storable(text: str) -> str:
    # PostgreSQL cannot keep it, and no name or comment needs it.
    if "\0" in text:
        raise RejectedValueError("value-with-nul")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RejectedValueError("value-string-unicode") from error
    return text


def _optional_name(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise RejectedValueError("value-string-too-long", max_length=LONGEST_NAME)
    if not is_clear_name(_storable(text)):
        raise RejectedValueError("value-name-unclear")
    return text.strip()


def _name(text: str) -> str:
    name = _optional_name(text)
    if not name:
        raise RejectedValueError("value-string-too-short", min_length=1)
    return name


def _code(text: str) -> str:
    if len(text) > LONGEST_CODE:
        raise RejectedValueError("value-string-too-long", max_length=LONGEST_CODE)
    code = _name(compatible(_storable(text)))
    if len(code) > LONGEST_CODE:  # in this form some characters are several
        raise RejectedValueError("value-string-too-long", max_length=LONGEST_CODE)
    return code


def _username(text: str) -> str:
    name = _code(text)
    if any(character.isspace() for character in name):
        raise RejectedValueError("value-name-with-blank")
    if names_no_person(name):
        raise RejectedValueError("value-name-of-machine")
    return name


def storable_object(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what JSON cannot say (NaN, infinity) and what PostgreSQL cannot keep (NUL), at any depth."""
    if is_clearly_storable(value):
        return value
    left: list[Any] = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            left += part
        elif isinstance(part, float) and not math.isfinite(part):
            raise RejectedValueError("value-finite-number")
        elif isinstance(part, str):
            _storable(part)
    return value


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def is_clearly_storable(value: Any) -> bool:
    """Return whether ``storable_object`` refuses nothing in a value of JSON, without looking for what is wrong."""
    try:
        text = _ENCODER.encode(value)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return "\\u0000" not in text


def _time_text(given: object) -> object:
    """Refuse what pydantic would take for seconds since 1970, or for a day."""
    if isinstance(given, datetime):
        return given
    if not isinstance(given, str) or _TIME.fullmatch(given) is None:
        raise RejectedValueError("value-time-form")
    return given


def _milliseconds(moment: datetime) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise RejectedValueError("value-time-out-of-range") from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _documented(pattern: str, most: int) -> Callable[[dict[str, Any]], None]:
    """Return what completes a name's schema: a pattern, and a longest length where the member names none."""

    def complete(schema: dict[str, Any]) -> None:
        schema["pattern"] = pattern
        schema.setdefault("maxLength", most)

    return complete


Moment = Annotated[
    AwareDatetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    # The same for what is read and what is written; pydantic would leave the format out of the latter.
    WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339, UTC, milliseconds."}),
]
"""A time in an answer."""
GivenMoment = Annotated[
    Moment, BeforeValidator(_time_text, json_schema_input_type=AwareDatetime), AfterValidator(_milliseconds)
]
"""A time in a request, cut to milliseconds."""
RecordId = Annotated[
    str,
    AfterValidator(_canonical_id),
    Field(max_length=36, description="UUIDv7.", json_schema_extra={"format": "uuid"}),
]
"""Id of a record; upper case is taken for the lower case it is kept in."""
GivenId = Annotated[
    str,
    AfterValidator(lambda text: _canonical_id(text) if text else text),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "maxLength": 0}]}),
]
"""Id of a record in a form, which knows no null: empty is none."""
Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
"""Id of a record in an answer."""
NamedId = Annotated[str, AfterValidator(canonical_id), Field(json_schema_extra={"format": "uuid"})]
"""Id in a path or a query: what is no id names nothing, and is not refused for its form."""
Text = Annotated[str, AfterValidator(_storable)]
DeviceName = Annotated[Text, AfterValidator(canonical_id)]
"""Id of a station, or ``server``."""
OptionalName = Annotated[
    str, AfterValidator(_optional_name), Field(json_schema_extra=_documented(rf"^{_SEEN}*$", LONGEST_NAME))
]
"""A ``Name``, or nothing."""
Name = Annotated[
    str,
    AfterValidator(_name),
    Field(min_length=1, json_schema_extra=_documented(_NOT_BLANK, LONGEST_NAME)),
]
"""What people know a thing by: nothing in it that cannot be seen, no blanks around it."""
Code = Annotated[
    str,
    AfterValidator(_code),
    Field(min_length=1, json_schema_extra=_documented(_NOT_BLANK, LONGEST_CODE)),
]
"""A name that is unique in any case and width: a ``Name`` in Unicode's form NFKC, of at most 64 characters."""
Username = Annotated[
    str,
    AfterValidator(_username),
    Field(min_length=1, json_schema_extra=_documented(rf"^{_MARK}+$", LONGEST_CODE)),
]
"""A ``Code`` without blanks."""
JsonObject = Annotated[dict[str, Any], AfterValidator(storable_object)]


Real = Annotated[StrictFloat, Field(allow_inf_nan=False)]
"""A finite number of JSON."""
Flag = StrictBool
"""``true`` or ``false`` of JSON."""


class Request(BaseModel):
    """Base of what clients send: unknown members are a mistake and refused, the first 50 by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_many_unknown(cls, given: Any) -> Any:
        """Refuse masses of unknown members in the time it takes to look at their names."""
        if not isinstance(given, dict) or len(given) <= _MOST_UNKNOWN:
            return given
        if len(given) <= len(cls.model_fields) + _MOST_UNKNOWN:
            return given
        known = {field.alias or name for name, field in cls.model_fields.items()}
        unknown = [name for name in given if name not in known]
        if len(unknown) <= _MOST_UNKNOWN:
            return given
        errors = [
            InitErrorDetails(type="extra_forbidden", loc=(str(name),), input=given[name])
            for name in unknown[:_MOST_UNKNOWN]
        ]
        count = {"count": len(unknown) - _MOST_UNKNOWN}
        more = PydanticCustomError(MORE_UNKNOWN, "{count} further members are unknown", count)
        errors.append(InitErrorDetails(type=more, loc=(), input=None))
        raise ValidationError.from_exception_data(cls.__name__, errors)


LEFT_OUT: Any = None
"""Default of a member of ``Changes`` that is left out; never among what ``model_dump(exclude_unset=True)`` gives."""


def read_only(description: str = "") -> Any:
    """Return the declaration of a member that may be sent back as it was read, and cannot be changed."""
    text = f"{description} Cannot be changed.".strip()
    return Field(default=LEFT_OUT, description=text, json_schema_extra={"readOnly": True})


class Changes(Request):
    """Base of changes to a record: what is left out stays, and only what may be empty can be set to null.

    A member that may not be null is declared with its own type and the default ``LEFT_OUT``. What a GET of the record
    gives can be sent as a whole: the members that cannot be changed are declared with ``read_only``.
    """

    def given(self) -> dict[str, Any]:
        """Return the members to change that were sent."""
        return self.model_dump(exclude_unset=True, exclude=self._read_only_names())

    def read_only(self) -> dict[str, Any]:
        """Return the members that were sent and cannot be changed."""
        return {name: getattr(self, name) for name in sorted(self._read_only_names() & self.model_fields_set)}

    @classmethod
    def _read_only_names(cls) -> set[str]:
        return {
            name
            for name, field in cls.model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("readOnly") is True
        }

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        """Return the schema without the defaults of members that are left out."""
        made = handler(schema)
        for member in handler.resolve_ref_schema(made).get("properties", {}).values():
            if member.get("default", "") is None:
                del member["default"]
        return made


class Reply(BaseModel):
    """Base of what the server answers: clients ignore members they do not know.

    Attributes:
        unversioned: members that are no part of the revision: they move by themselves, or are texts for the reader.
    """

    unversioned: ClassVar[frozenset[str]] = frozenset()

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
