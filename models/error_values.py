"""The values of an error's text as JSON, in which a part in the reader's language stays one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from models.messages import LocalText
from models.stored_json import as_stored


def stored_values(values: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return the values of an error's text as JSON that every engine keeps; a part in the reader's language stays one.

    A value comes from wherever the error did, a client's file among them: it may hold what ``as_stored`` replaces.
    """
    kept: dict[str, JsonValue] = as_stored(_parts(values))
    return kept


def read_values(values: Mapping[str, JsonValue]) -> dict[str, Any]:
    """Return the values of an error's text from their JSON."""
    return {name: _read(value) for name, value in values.items()}


def _parts(values: Mapping[str, object]) -> dict[str, JsonValue]:
    return {name: _part(value) for name, value in values.items()}


def _part(value: object) -> JsonValue:
    if isinstance(value, LocalText) and value.code:
        return {"code": value.code, "values": _parts(value.values)}
    return value if isinstance(value, (int, float, bool)) else str(value)


def _read(value: JsonValue) -> object:
    if isinstance(value, dict):
        code, values = value["code"], value["values"]
        if not isinstance(code, str) or not isinstance(values, dict):
            raise TypeError("a part of a text is stored as its code and its values")
        return LocalText.of(code, read_values(values))
    return value
