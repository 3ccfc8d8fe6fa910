"""The station's bounds of image quality, read again only when their file has changed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspection.image_quality import QualityBounds

_State = tuple[str, int, int, int]


class KeptBounds:
    """Returns the bounds of a setting; may be used from several threads."""

    def __init__(self) -> None:
        self._state: _State | None = None
        self._bounds: QualityBounds | None = None
        self._lock = threading.Lock()

    def bounds(self, given: str) -> QualityBounds:
        """Return the bounds of a file, or the usual ones for ``usual``.

        Raises:
            NotFound: ``file-missing``.
            InvalidInput: ``quality-bounds-file`` when it does not hold bounds.
        """
        # Loaded with the first inspection: NumPy and OpenCV would delay the sign-in screen.
        from inspection.image_quality import read_bounds

        with self._lock:
            state = _state(given)
            if self._bounds is None or state != self._state:
                self._bounds = read_bounds(given)
                self._state = state
            return self._bounds


def _state(given: str) -> _State:
    """Return what changes when the file does; of a file that cannot be looked at, reading it says why."""
    try:
        found = Path(given).stat()
    except OSError:
        return (given, 0, 0, 0)
    return (given, found.st_mtime_ns, found.st_size, found.st_ino)
