"""Bounds the structure of a JSON text before it is parsed, in linear time whatever the text is."""

from __future__ import annotations

import numpy as np

from models.errors import InvalidInput

_SLICE = 64 * 1024
_QUOTE = ord('"')
_STEP = np.zeros(256, np.int8)
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1
_BEGINS = np.zeros(256, np.int8)
_BEGINS[[ord("["), ord("{"), ord(",")]] = 1


class JsonGuard:
    """Counts nesting and values of a JSON text that is fed in pieces; brackets and commas in strings do not count.

    Args:
        max_depth: deepest nesting of lists and objects.
        max_values: most values; None leaves them unbounded.
    """

    def __init__(self, max_depth: int, max_values: int | None = None) -> None:
        self._max_depth = max_depth
        self._max_values = max_values
        self._in_string = 0
        self._carried = b""
        self.depth = 0
        self.deepest = 0
        self.values = 1

    def feed(self, data: bytes) -> None:
        """Count a piece of the text.

        Raises:
            InvalidInput: ``json-too-deep`` or ``json-too-many-values``.
        """
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
        letters = np.frombuffer(text.replace(b'\\"', b""), np.uint8)
        if not letters.size:
            return
        strings = np.cumsum(letters == _QUOTE) + self._in_string
        outside = strings % 2 == 0
        levels = np.cumsum(_STEP[letters] * outside, dtype=np.int64) + self.depth
        self._in_string = int(strings[-1] % 2)
        self.depth = int(levels[-1])
        self.deepest = max(self.deepest, int(levels.max()))
        self.values += int((_BEGINS[letters] * outside).sum(dtype=np.int64))


def require_bounded(data: bytes, max_depth: int, max_values: int | None = None) -> None:
    """Check the structure of a whole JSON text.

    Raises:
        InvalidInput: ``json-too-deep`` or ``json-too-many-values``.
    """
    JsonGuard(max_depth, max_values).feed(data)
