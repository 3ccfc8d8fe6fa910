"""HTTP ranges (RFC 9110, section 14), pure."""

from __future__ import annotations

import re

from server.http.refusals import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return start and end (exclusive) of a single byte range; None when the whole is to be sent.

    A header that is malformed or names several ranges is ignored, as the standard allows.

    Raises:
        RangeNotSatisfiable: ``range-not-satisfiable``.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), size if last == "" else min(int(last) + 1, size)
        if last != "" and int(last) < int(first):
            return None
    if start >= size or start >= end:
        raise RangeNotSatisfiable(size)
    return start, end


def same_tag(header: str | None, tag: str) -> bool:
    """Return whether an ``If-None-Match`` header names ``tag`` (weak comparison)."""
    names = [name.strip().removeprefix("W/") for name in (header or "").split(",")]
    return "*" in names or tag in names
