"""The range of values that an image deeper than 8 bits uses, and its mapping to 8 bits.

Images of cameras of 10, 12 or 14 bits are usually saved as 16-bit files with the values at the low end. Which part of
the 16 bits is used is often not in such a file: it is declared, given, or found from a whole set of images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels

BIT_DEPTHS = (8, 10, 12, 14, 16)
"""Depths of cameras, from which that of a set is chosen."""
SMALLEST_DEPTH, LARGEST_DEPTH = 8, 32
_SEEN = 255


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The values that are black and white.

    Attributes:
        low: black.
        high: white; larger than ``low``.
    """

    low: float
    high: float

    @classmethod
    def of_bits(cls, bits: int) -> Self:
        """Return the range of unsigned values of ``bits`` bits."""
        return cls(0, 2**bits - 1)

    @classmethod
    def holding(cls, largest: int) -> Self:
        """Return the range of the smallest depth of cameras that holds a value."""
        return cls.of_bits(next((bits for bits in BIT_DEPTHS if largest < 2**bits), LARGEST_DEPTH))

    @property
    def bits(self) -> int | None:
        """The bit depth, where the range is that of a depth."""
        bits = int(self.high + 1).bit_length() - 1
        is_depth = SMALLEST_DEPTH <= bits <= LARGEST_DEPTH and (self.low, self.high) == (0, 2**bits - 1)
        return bits if is_depth else None

    def __str__(self) -> str:
        """Return the range as the option ``--range`` takes it."""
        return f"{self.low:g}:{self.high:g}" if self.bits is None else f"{int(self.low)}:{int(self.high)}"

    def exceeded_by(self, values: NDArray[Any]) -> bool:
        """Return whether values, of any shape and type, lie beyond a bit depth; other ranges may be a part of them."""
        # By comparison: a value that is no number lies nowhere, and would be the least and the largest of all.
        return self.bits is not None and bool((values < self.low).any() or (values > self.high).any())

    def to_8_bits(self, values: NDArray[Any]) -> Pixels:
        """Return values of any type as uint8: ``low`` is 0, ``high`` is 255, what lies beyond is one of them.

        Of a bit depth the upper 8 bits are kept. What is no number is 0.
        """
        bits = self.bits
        if bits is not None and np.issubdtype(values.dtype, np.integer):
            held = np.clip(values, 0, 2**bits - 1)
            return np.ascontiguousarray(held >> (bits - SMALLEST_DEPTH), dtype=np.uint8)
        scaled = (values.astype(np.float64) - self.low) * _SEEN / (self.high - self.low)
        return np.rint(np.nan_to_num(np.clip(scaled, 0, _SEEN), nan=0.0)).astype(np.uint8)


def parse_range(text: str) -> ValueRange:
    """Return the range that ``LOW:HIGH`` names.

    Raises:
        ValueError: when the text is no range.
    """
    low, separator, high = text.partition(":")
    found = ValueRange(float(low), float(high))
    if not separator or not (math.isfinite(found.low) and math.isfinite(found.high) and found.low < found.high):
        raise ValueError(f"{text!r} is no range LOW:HIGH of two numbers, the second larger")
    return found


def parse_values(text: str) -> ValueRange | None:
    """Return the range that a bit depth, as ``12``, or ``LOW:HIGH`` names; None for an empty text.

    Raises:
        ValueError: when the text is neither.
    """
    if not text.strip():
        return None
    if ":" in text:
        return parse_range(text)
    bits = int(text)
    if not SMALLEST_DEPTH <= bits <= LARGEST_DEPTH:
        raise ValueError(f"a bit depth is {SMALLEST_DEPTH} to {LARGEST_DEPTH}")
    return ValueRange.of_bits(bits)


def spread_over_16_bits(values: NDArray[Any], bits: int) -> bool:
    """Return whether uint16 values of ``bits`` significant bits fill all 16, as PNG's section 12.5 recommends.

    Their low bits are then 0, or repeat the high ones.
    """
    low = values & np.array((1 << (16 - bits)) - 1, values.dtype)
    return not low.any() or bool((low == values >> bits).all())
