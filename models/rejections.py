"""Why pydantic rejected a value, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.messages import LocalText, catalogue

_PREFIX = "value-"
_OTHER = f"{_PREFIX}invalid"


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
