"""Random numbers with identical bytes on every platform.

Only the raw 64-bit stream of PCG64 is used, which NumPy keeps stable (NEP 19 guarantees it for bit generators,
not for the distributions of ``Generator``). The rest is integer arithmetic or one rounding of an
IEEE 754 operation: no ``exp``, ``log`` or ``sin``, whose last bit differs between processors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Choice = TypeVar("Choice")

# Sum of four uniform bytes: mean 4 * 127.5, variance 4 * (256**2 - 1) / 12 (Irwin-Hall, close to normal).
_BYTES_MEAN = 510.0
_BYTES_DEVIATION = 147.8


class Rng:
    """An independent stream of random numbers for a seed, a part's index and a purpose.

    Each aspect has its own purpose, so that adding a defect changes nothing else of a part.
    """

    def __init__(self, seed: int, index: int, purpose: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, index, purpose]))

    def raw(self, count: int) -> NDArray[np.uint64]:
        """Return ``count`` random 64-bit words, uint64 ``(count,)``."""
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64)

    def uniform(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * (int(self.raw(1)[0]) >> 11) * 2.0**-53

    def whole(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``, both inclusive."""
        return low + int(self.uniform(0.0, high - low + 1.0))

    def choose(self, values: Sequence[Choice]) -> Choice:
        """Return one of ``values``."""
        return values[self.whole(0, len(values) - 1)]

    def noise(self, *shape: int) -> Field:
        """Return a float32 array of approximately normal numbers, mean 0, deviation 1, each a sum of four bytes."""
        count = int(np.prod(shape))
        words = self.raw((count + 1) // 2)
        halves = np.stack([words & np.uint64(0xFFFFFFFF), words >> np.uint64(32)], axis=1).reshape(-1)[:count]
        total = np.zeros(count, np.int32)
        for shift in (0, 8, 16, 24):
            total += ((halves >> np.uint64(shift)) & np.uint64(0xFF)).astype(np.int32)
        values = (total.astype(np.float32) - np.float32(_BYTES_MEAN)) / np.float32(_BYTES_DEVIATION)
        return values.reshape(shape)
