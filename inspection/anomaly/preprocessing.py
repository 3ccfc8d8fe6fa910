"""Preprocessing of a model's images: none, or the steps of a pipeline before its anomaly step."""

from __future__ import annotations

from typing import Protocol

from inspection.anomaly.manifest import PreprocessingRecord
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture


class ImagePreprocessor(Protocol):
    """Processes images as they are processed before a model scores them.

    Attributes:
        record: the processing, in the form a model file keeps.
    """

    @property
    def record(self) -> PreprocessingRecord: ...  # noqa: D102 - above

    def __call__(self, pixels: Pixels) -> Picture:
        """Process one image.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.

        Raises:
            DoesNotFit: when a step refuses the image.
        """
        ...


class NoPreprocessing:
    """Returns images unchanged."""

    @property
    def record(self) -> PreprocessingRecord:
        """Return a record without steps."""
        return PreprocessingRecord()

    def __call__(self, pixels: Pixels) -> Picture:
        """Return the image unchanged."""
        return Picture.original(pixels)


NO_PREPROCESSING = NoPreprocessing()
