"""Parameters in which true and false are no numbers, as in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails


class JsonNumbers(BaseModel):
    """Base of what is read from JSON: ``true`` is refused where a number is wanted, in lists and objects too."""

    @field_validator("*", mode="before")
    @classmethod
    def _a_truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name is not None:
            problems = list(_truths_for_numbers(cls.model_fields[info.field_name].annotation, value))
            if problems:
                raise ValidationError.from_exception_data(cls.__name__, problems)
        return value


def _truths_for_numbers(declared: Any, value: Any, at: tuple[int | str, ...] = ()) -> Iterator[InitErrorDetails]:
    """Yield an error for each ``true`` and ``false`` of a value where a type has a number.

    Models within the type are left to themselves.
    """
    types = tuple(_alternatives(declared))
    if isinstance(value, bool):
        if bool not in types and (int in types or float in types):
            yield InitErrorDetails(type="int_type" if int in types else "float_type", loc=at, input=value)
    elif isinstance(value, Mapping):
        for _, element in (get_args(kind) for kind in types if get_origin(kind) is dict):
            for name, one in value.items():
                yield from _truths_for_numbers(element, one, (*at, name))
    elif isinstance(value, list | tuple):
        for kind in types:
            for place, (element, one) in enumerate(zip(_elements(kind), value, strict=False)):
                yield from _truths_for_numbers(element, one, (*at, place))


def _alternatives(declared: Any) -> Iterator[Any]:
    if get_origin(declared) is Annotated:
        yield from _alternatives(get_args(declared)[0])
    elif get_origin(declared) in (Union, UnionType):
        for each in get_args(declared):
            yield from _alternatives(each)
    else:
        yield declared


def _elements(kind: Any) -> Iterator[Any]:
    """Return the types of the elements of a list or tuple, without an end where it may have any number of them."""
    inner = get_args(kind)
    if get_origin(kind) is list or (get_origin(kind) is tuple and inner[-1] is Ellipsis):
        return repeat(inner[0])
    return iter(inner if get_origin(kind) is tuple else ())
