"""The values of a conflict as a person compares them: of objects the members that differ, long words broken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.window.widgets.readable_values import readable


def compared(values: Sequence[str]) -> list[str]:
    """Return texts of values, each a text or JSON.

    Where all are objects, the members in which they differ are shown, each on a line of its own: criteria that differ
    in the threshold alone are their thresholds. A SHA-256 is shown by its first digits, and a long word may be broken.
    """
    objects = [_object(value) for value in values]
    if all(found is not None for found in objects):
        values = _members([found or {} for found in objects])
    return [readable(value) for value in values]


def _object(value: str) -> dict[str, Any] | None:
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _members(objects: Sequence[dict[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for found in objects for name in found))
    differing = [name for name in names if len({_text(found.get(name)) for found in objects}) > 1]
    return [
        "\n".join(f"{name}: {_text(found[name])}" for name in differing or names if name in found) or "–"
        for found in objects
    ]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
