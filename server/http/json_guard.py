"""Bounds the structure of a JSON text before it is parsed, in linear time whatever the text is.

The text must be UTF-8, as JSON between systems is (RFC 8259, section 8.1). Python's parser would also take UTF-16 and
UTF-32, in which brackets and quotes look different from here; both have NUL bytes, which UTF-8 needs nowhere.
"""

from __future__ import annotations

from itertools import accumulate

from models.errors import InvalidInput

_SLICE = 64 * 1024
_OPENING, _CLOSING = b"[{", b"]}"
_NO_BRACKET = bytes(letter for letter in range(256) if letter not in _OPENING + _CLOSING)
_STEP = {**dict.fromkeys(_OPENING, 1), **dict.fromkeys(_CLOSING, -1)}


class JsonGuard:
    """Counts nesting and values of a JSON text that is fed in pieces; brackets and commas in strings do not count.

    Args:
        max_depth: deepest nesting of lists and objects.
        max_values: most values; None leaves them unbounded.
    """

    def __init__(self, max_depth: int, max_values: int | None = None) -> None:
        self._max_depth = max_depth
        self._max_values = max_values
        self._in_string = 0  # 1 within a string
        self._carried = b""
        self.depth = 0
        self.deepest = 0
        self.values = 1

    def feed(self, data: bytes) -> None:
        """Count a piece of the text.

        Raises:
            InvalidInput: ``json-not-utf-8``, ``json-too-deep`` or ``json-too-many-values``.
        """
        _require_utf_8(data)
        for start in range(0, len(data), _SLICE):
            self._count(data[start : start + _SLICE])
            if self.deepest > self._max_depth:
                raise InvalidInput("json-too-deep", limit=self._max_depth)
            if self._max_values is not None and self.values > self._max_values:
                raise InvalidInput("json-too-many-values", limit=self._max_values)

    def _count(self, piece: bytes) -> None:
        # Escaped backslashes go first, then escaped quotes: every quote that is left begins or ends a string.
        text = (self._carried + piece).replace(b"\\\\", b"")
        self._carried = b"\\" if text.endswith(b"\\") else b""
        parts = text.replace(b'\\"', b"").split(b'"')
        outside = b"".join(parts[self._in_string :: 2])
        self._in_string = (self._in_string + len(parts) - 1) % 2
        levels = list(accumulate(map(_STEP.__getitem__, outside.translate(None, _NO_BRACKET)), initial=self.depth))
        self.depth = levels[-1]
        self.deepest = max(self.deepest, *levels)
        self.values += sum(outside.count(letter) for letter in (b"[", b"{", b","))


def require_bounded(data: bytes, max_depth: int, max_values: int | None = None) -> None:
    """Check the structure of a whole JSON text.

    Raises:
        InvalidInput: ``json-not-utf-8``, ``json-too-deep`` or ``json-too-many-values``.
    """
    _require_utf_8(data)
    brackets = data.count(b"[") + data.count(b"{")
    if brackets <= max_depth and (max_values is None or brackets + data.count(b",") < max_values):
        return  # Within both limits even if none of them stood in a string, as in nearly every request.
    JsonGuard(max_depth, max_values).feed(data)


def _require_utf_8(data: bytes) -> None:
    if b"\0" in data:
        raise InvalidInput("json-not-utf-8")
