"""Generated probe images, identical on every computer, for parity checks."""

from __future__ import annotations

import numpy as np

from inspection.imaging.frames import Pixels

PROBES = 4
_LEVELS = 6
_PERIOD = 251
_ROWS_AT_ONCE = 256


def probe_image(number: int, height: int, width: int) -> Pixels:
    """Return the probe image ``number``, grey ``(height, width)`` uint8.

    Random blocks of several sizes over a ramp, in integer arithmetic only, so that no rounding of a CPU or a library
    changes a pixel.
    """
    generator = np.random.default_rng(number)
    sides = [4 << level for level in range(_LEVELS)]
    blocks = [generator.integers(0, 36, (-(-height // side), -(-width // side))) for side in sides]
    columns = np.arange(width)[None]
    image = np.empty((height, width), np.uint8)
    # Processed in strips: an image of a large camera would take gigabytes as int64.
    for top in range(0, height, _ROWS_AT_ONCE):
        rows = np.arange(top, min(top + _ROWS_AT_ONCE, height))[:, None]
        part = (rows * (2 + number) + columns * 3) * 40 // (height + width)
        for side, values in zip(sides, blocks, strict=True):
            part += values[rows // side, columns // side]
        image[top : top + _ROWS_AT_ONCE] = part % _PERIOD
    return image
