"""The values of an error's text as JSON, in which a part in the reader's language stays one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from models.messages import LocalText


def stored_values(values: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return the values of an error's text as JSON; a part in the reader's language keeps its code."""
    return {name: _stored(value) for name, value in values.items()}


def read_values(values: Mapping[str, JsonValue]) -> dict[str, Any]:
    """Return the values of an error's text from their JSON."""
    return {name: _read(value) for name, value in values.items()}


def _stored(value: object) -> JsonValue:
    if isinstance(value, LocalText) and value.code:
        return {"code": value.code, "values": stored_values(value.values)}
    return value if isinstance(value, (int, float, bool)) else str(value)


def _read(value: JsonValue) -> object:
    if isinstance(value, dict):
        code, values = value["code"], value["values"]
        if not isinstance(code, str) or not isinstance(values, dict):
            raise TypeError("a part of a text is stored as its code and its values")
        return LocalText.of(code, read_values(values))
    return value
