"""An image between two pipeline steps, with its placement on the original."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from inspection.imaging.frames import Pixels, require_pixels
from inspection.imaging.placement import Mask, Placement
from models.results import BoundingBox


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image between two pipeline steps, its placement on the original, and the region that is ignored.

    Attributes:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        placement: the map from the original image to ``pixels``.
        ignored: bool ``(height, width)`` over the original image, true where pixels are ignored; None when none are.
        resized: columns and rows of ``pixels`` per column and row of the image before resizing. Unlike the scale of
            ``placement`` it excludes the scaling of ``align`` to the size of the reference: a model that works at the
            scale of its training images would otherwise undo that scaling.
    """

    pixels: Pixels
    placement: Placement
    ignored: Mask | None = None
    resized: tuple[float, float] = (1.0, 1.0)

    @classmethod
    def original(cls, pixels: Pixels) -> Picture:
        """Return the original image, uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``, as a picture.

        Raises:
            ValueError: when ``pixels`` is not an image.
        """
        require_pixels(pixels)
        return cls(pixels, Placement(width=pixels.shape[1], height=pixels.shape[0]))

    def with_pixels(self, pixels: Pixels) -> Picture:
        """Return the picture with its pixels replaced by others of the same shape."""
        return replace(self, pixels=pixels)

    def ignoring(self, mask: Mask) -> Picture:
        """Return the picture with ``mask``, bool ``(height, width)`` over the original, ignored in addition."""
        return replace(self, ignored=mask if self.ignored is None else self.ignored | mask)

    def valid_mask(self) -> Mask | None:
        """Return the valid pixels of the picture, bool ``(H, W)``; None when all are valid.

        Invalid are ignored pixels and those beyond the edges of the original, which a step had to fill in.
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
            valid = max(rows.stop - rows.start, 0) * max(columns.stop - columns.start, 0)
        else:
            valid = int(np.count_nonzero(~self.ignored[rows, columns]))
        return 2 * valid <= (right - left) * (bottom - top)
