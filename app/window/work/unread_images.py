"""Which images of a source could not be inspected: counted without end, named up to a few."""

from __future__ import annotations

from app.window.presenting.names import MOST_NAMES, first_names
from models.errors import InvalidInput, UserFacingError


class UnreadImages:
    """Counts the images of one source that could not be inspected; of what never ends it keeps no more than a count."""

    def __init__(self) -> None:
        self._images = 0
        self._frames: dict[str, int] = {}
        self._names: dict[str, None] = {}

    @property
    def count(self) -> int:
        """Number of images, and of frames of a video."""
        return self._images + sum(self._frames.values())

    def add(self, error: UserFacingError) -> None:
        """Count what was reported; ``frames-undecoded`` comes again with a higher ``count`` for the same video."""
        name = str(error.values.get("name", error.values.get("source", "")))
        if error.code == "frames-undecoded":
            # A video that is opened again counts from its begin.
            self._frames[name] = max(self._frames.get(name, 0), int(str(error.values["count"])))
        else:
            self._images += 1
        if name and len(self._names) <= MOST_NAMES:
            self._names[name] = None

    @property
    def names(self) -> str:
        """The first names, with commas."""
        return first_names(list(self._names))

    def to_error(self) -> UserFacingError | None:
        """Return what a person should know of them, ``window-images-unread``; None without any."""
        if not self.count:
            return None
        return InvalidInput("window-images-unread", count=self.count, names=self.names)
