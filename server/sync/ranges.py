"""Range requests (RFC 9110, section 14) for one range of bytes."""

from __future__ import annotations

import re

_FORM = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last that a ``Range`` header asks for.

    None when there is none, or one this server does not serve: then the whole is the right answer.
    """
    match = _FORM.fullmatch(header or "")
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    return (start, end) if start < end else None
