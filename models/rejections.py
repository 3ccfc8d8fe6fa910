"""Why a value was rejected, in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from models.messages import LocalText, catalogue

_PREFIX = "value-"
_OTHER = f"{_PREFIX}invalid"
_NOT_JSON = f"{_PREFIX}json-invalid"


def not_json(error: Exception) -> LocalText:
    """Return why a text is no JSON: where it goes wrong, as far as ``json.loads`` says."""
    if isinstance(error, json.JSONDecodeError):
        return LocalText.of("value-json-place", {"line": error.lineno, "column": error.colno})
    return LocalText.of(_NOT_JSON, {})


def rejection(item: Mapping[str, Any]) -> LocalText:
    """Return what is wrong with a value.

    Args:
        item: one of ``ValidationError.errors()``. Its type names the text, ``value-…`` with hyphens; one that has none
            reads as pydantic has it in English, and in other languages only as a value that is not allowed.
    """
    code = f"{_PREFIX}{str(item['type']).replace('_', '-')}"
    if code not in catalogue("en"):
        return LocalText(str(item["msg"]).removeprefix("Value error, "), _OTHER)
    values: dict[str, object] = {name: str(value) for name, value in (item.get("ctx") or {}).items()}
    if "expected" in values:
        # Pydantic names the last of them with an English word.
        values["expected"] = str(values["expected"]).replace("' or '", "', '")
    return LocalText.of(code, values)
