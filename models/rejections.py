"""Why a value was rejected, in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from models.messages import LocalText, catalogue

_PREFIX = "value-"
_OTHER = f"{_PREFIX}invalid"
_NOT_JSON = f"{_PREFIX}json-invalid"
MORE_UNKNOWN = "more_unknown"
"""Type of the error that only counts the unknown members beyond those named one by one."""


class RejectedValueError(ValueError):
    """A value that makes no sense, raised by validators and parsers with a reason in both languages.

    Attributes:
        reason: a part of a text.
    """

    def __init__(self, code: str, **values: object) -> None:
        self.reason = LocalText.of(code, values)
        super().__init__(self.reason)


class Problem(NamedTuple):
    """The first problem of a validation.

    Attributes:
        field: dotted path of the rejected field; empty when the value as a whole was rejected.
        reason: what is wrong with it.
    """

    field: str
    reason: LocalText

    def within(self, name: str) -> Problem:
        """Return the same problem with its path beginning at ``name``, the field that holds the validated value."""
        return Problem(field_path(part for part in (name, self.field) if part), self.reason)

    @property
    def text(self) -> LocalText:
        """The reason, after the field's name when there is one."""
        if not self.field:
            return self.reason
        return LocalText.of(f"{_PREFIX}of-field", {"name": self.field, "reason": self.reason})


def first_problem(error: ValidationError) -> Problem:
    """Return the first problem pydantic found, never with the rejected value itself."""
    first = error.errors(include_url=False, include_input=False)[0]
    return Problem(field_path(first["loc"]), rejection(first))


def reason_in(error: ValueError) -> LocalText:
    """Return why a parser rejected a value; a reason without a text reads in other languages as "not allowed"."""
    return error.reason if isinstance(error, RejectedValueError) else LocalText(str(error), _OTHER)


def of_field(name: str, code: str, **values: object) -> RejectedValueError:
    """Return the error for a value of a field that has a name."""
    return RejectedValueError(f"{_PREFIX}of-field", name=name, reason=LocalText.of(code, values))


def field_path(location: Iterable[str | int]) -> str:
    """Return pydantic's location of a problem as a dotted path."""
    return ".".join(str(part) for part in location)


def not_json(error: Exception) -> LocalText:
    """Return why a text is not JSON, with the place that ``json.loads`` names."""
    if isinstance(error, json.JSONDecodeError):
        return LocalText.of("value-json-place", json_place(error))
    return LocalText.of(_NOT_JSON, {})


def json_place(error: Exception) -> dict[str, object]:
    """Return ``line`` and ``column``, both from 1, where a text is not JSON; empty when ``json.loads`` named none."""
    return {"line": error.lineno, "column": error.colno} if isinstance(error, json.JSONDecodeError) else {}


def rejection(item: Mapping[str, Any]) -> LocalText:
    """Return what is wrong with a value.

    Args:
        item: one of ``ValidationError.errors()``. Its type selects the text, ``value-…`` with hyphens; without such a
            text the result is pydantic's in English, and in other languages only that the value is not allowed.
    """
    cause = (item.get("ctx") or {}).get("error")
    if isinstance(cause, RejectedValueError):
        return cause.reason
    code = f"{_PREFIX}{str(item['type']).replace('_', '-')}"
    if code not in catalogue("en"):
        return LocalText(str(item["msg"]).removeprefix("Value error, "), _OTHER)
    values: dict[str, object] = {name: str(value) for name, value in (item.get("ctx") or {}).items()}
    if "expected" in values:
        # Pydantic names the last of them with an English word.
        values["expected"] = str(values["expected"]).replace("' or '", "', '")
    return LocalText.of(code, values)
