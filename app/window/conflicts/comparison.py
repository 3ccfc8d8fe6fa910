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
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _members(objects: Sequence[dict[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for found in objects for name in found))
    differing = [name for name in names if len({_json_of(name, found) for found in objects}) > 1]
    texts = {name: _texts(name, objects) for name in differing or names}
    return [
        "\n".join(f"{name}: {shown[at]}" for name, shown in texts.items() if name in found) or "–"
        for at, found in enumerate(objects)
    ]


def _texts(name: str, objects: Sequence[dict[str, Any]]) -> list[str]:
    """Return a member's values; texts without quotes, unless they would look like another value."""
    plain = [found[name] if isinstance(found.get(name), str) else _json_of(name, found) for found in objects]
    quoted = [_json_of(name, found) for found in objects]
    return plain if len(set(plain)) == len(set(quoted)) else quoted


def _json_of(name: str, found: dict[str, Any]) -> str:
    """Return the JSON of a member; no text where there is none."""
    return json.dumps(found[name], ensure_ascii=False, sort_keys=True) if name in found else ""
