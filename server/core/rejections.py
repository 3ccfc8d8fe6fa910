"""Rejected fields of a request that only a service can check, as an error that knows no transport."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from models.errors import InvalidInput
from models.rejections import rejection


def rejected(error: ValidationError, *place: str) -> InvalidInput:
    """Return the error for a part of a request, with one entry for each rejected field.

    Args:
        error: of the part.
        place: path of the part within the request.
    """
    entries = [_entry(item, place) for item in error.errors(include_url=False)]
    first = entries[0]
    members: dict[str, object] = {"validation_errors": entries}
    return InvalidInput("fields-rejected", members=members, field=first["field"], reason=first["message"])


def _entry(item: Any, place: tuple[str, ...]) -> dict[str, object]:
    entry: dict[str, object] = {
        "field": ".".join(str(part) for part in (*place, *item["loc"])),
        "message": rejection(item),
    }
    return entry if item["type"] == "missing" else {**entry, "value": item["input"]}
