"""Generated images that are the same on every computer, to compare what a model says of them here and there."""

from __future__ import annotations

import numpy as np

from inspection.frames import Pixels

PROBES = 4
_LEVELS = 6
_PERIOD = 251


def probe_image(number: int, height: int, width: int) -> Pixels:
    """Return the generated image ``number``, grey ``(height, width)`` uint8.

    Blocks of random brightness of several sizes over a ramp, in whole numbers only, so that no rounding of a processor
    or a library changes a pixel.
    """
    generator = np.random.default_rng(number)
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    image = (rows * (2 + number) + columns * 3) * 40 // (height + width)
    for level in range(_LEVELS):
        side = 4 << level
        blocks = generator.integers(0, 36, (-(-height // side), -(-width // side)))
        image = image + blocks[rows // side, columns // side]
    return (image % _PERIOD).astype(np.uint8)
