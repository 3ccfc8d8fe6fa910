"""An image on its way through a pipeline, and where it lies on the original."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from inspection.imaging.frames import Pixels, require_pixels
from inspection.imaging.placement import Mask, Placement
from models.results import BoundingBox


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image on its way through a pipeline, where it lies on the original, and what of that does not count.

    Attributes:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        placement: the map from the original image to ``pixels``.
        ignored: bool ``(height, width)`` over the original image, true where nothing counts; None when all counts.
        resized: columns and rows of ``pixels`` per one of the image before it was resized. Unlike the scale of
            ``placement`` it does not hold the size of a part that ``align`` brought to that of its reference: a model
            that knows how large a part is on its training images would undo that otherwise.
    """

    pixels: Pixels
    placement: Placement
    ignored: Mask | None = None
    resized: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def original(cls, pixels: Pixels) -> Picture:
        """Return the picture that is the original image itself.

        Raises:
            ValueError: when ``pixels`` is no image.
        """
        require_pixels(pixels)
        return cls(pixels, Placement(width=pixels.shape[1], height=pixels.shape[0]))

    def with_pixels(self, pixels: Pixels) -> Picture:
        """Return the picture with other pixels in the same places."""
        return replace(self, pixels=pixels)

    def ignoring(self, mask: Mask) -> Picture:
        """Return the picture with more to ignore: ``mask`` is bool ``(height, width)`` over the original."""
        return replace(self, ignored=mask if self.ignored is None else self.ignored | mask)

    def valid_mask(self) -> Mask | None:
        """Return which pixels of the picture count, bool ``(H, W)``; None when all of them do.

        Neither what is ignored counts nor what lies beyond the original's edges, where a step had to make pixels up.
        """
        ignored = self.ignored
        if ignored is None:
            if self.placement.shows_only_original(self.pixels):
                return None
            ignored = np.zeros((self.placement.height, self.placement.width), np.bool_)
        return ~self.placement.mask_from_original(ignored, self.pixels, outside=True)

    def ignores(self, box: BoundingBox) -> bool:
        """Return whether at least half of a box on the original image is ignored or lies beyond the image's edges."""
        left, top = math.floor(box.x), math.floor(box.y)
        right, bottom = max(round(box.x + box.width), left + 1), max(round(box.y + box.height), top + 1)
        rows = slice(max(top, 0), max(min(bottom, self.placement.height), 0))
        columns = slice(max(left, 0), max(min(right, self.placement.width), 0))
        if self.ignored is None:
            counting = max(rows.stop - rows.start, 0) * max(columns.stop - columns.start, 0)
        else:
            counting = int(np.count_nonzero(~self.ignored[rows, columns]))
        return 2 * counting <= (right - left) * (bottom - top)
