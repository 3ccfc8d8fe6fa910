"""How images come to a model: as they are, or through steps of a pipeline; its file tells which."""

from __future__ import annotations

from typing import Protocol

from inspection.anomaly.manifest import ViewRecord
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture


class ImageView(Protocol):
    """Gives images as whoever scores them is given them.

    Attributes:
        record: what is done to each, in the words of a model file.
    """

    @property
    def record(self) -> ViewRecord: ...  # noqa: D102 - above

    def __call__(self, pixels: Pixels) -> Picture:
        """Return an image as it is scored.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.

        Raises:
            DoesNotFit: when a step refuses the image.
        """
        ...


class AsTheyAre:
    """Gives images as they are."""

    @property
    def record(self) -> ViewRecord:
        """No steps."""
        return ViewRecord()

    def __call__(self, pixels: Pixels) -> Picture:
        """Return the image itself."""
        return Picture.original(pixels)


AS_THEY_ARE = AsTheyAre()
