"""Generated images that are the same on every computer, to compare what a model says of them here and there."""

from __future__ import annotations

import numpy as np

from inspection.imaging.frames import Pixels

PROBES = 4
_LEVELS = 6
_PERIOD = 251
_ROWS_AT_ONCE = 256


def probe_image(number: int, height: int, width: int) -> Pixels:
    """Return the generated image ``number``, grey ``(height, width)`` uint8.

    Blocks of random brightness of several sizes over a ramp, in whole numbers only, so that no rounding of a processor
    or a library changes a pixel.
    """
    generator = np.random.default_rng(number)
    sides = [4 << level for level in range(_LEVELS)]
    blocks = [generator.integers(0, 36, (-(-height // side), -(-width // side))) for side in sides]
    columns = np.arange(width)[None]
    image = np.empty((height, width), np.uint8)
    # Whole images of large cameras would take gigabytes as the wide integers that are summed.
    for top in range(0, height, _ROWS_AT_ONCE):
        rows = np.arange(top, min(top + _ROWS_AT_ONCE, height))[:, None]
        part = (rows * (2 + number) + columns * 3) * 40 // (height + width)
        for side, values in zip(sides, blocks, strict=True):
            part += values[rows // side, columns // side]
        image[top : top + _ROWS_AT_ONCE] = part % _PERIOD
    return image
