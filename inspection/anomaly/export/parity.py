"""Parity of two computations of the same scores: training and runtime, two precisions, two computers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PARITY_LIMIT = 1e-3
_MIN_SCORE = 1e-6
_MIN_SHOWN = 1.0


@dataclass(frozen=True, slots=True)
class Parity:
    """The agreement of two series of scores.

    Attributes:
        difference: largest difference, relative to the expected score.
        flips: number of verdicts that differ.
        images: number of images compared.
    """

    difference: float
    flips: int
    images: int

    @property
    def holds(self) -> bool:
        """Whether scores differ by at most 1e-3 and no verdict flips."""
        return self.difference <= PARITY_LIMIT and self.flips == 0

    @property
    def percent_text(self) -> str:
        """The difference in percent of the score, for display: ``49.4 %``, with more digits where it is small."""
        share = 100 * self.difference
        if not math.isfinite(share):
            return "∞ %"
        return f"{share:.1f} %" if share >= _MIN_SHOWN else f"{share:.3g} %"

    def values(self) -> dict[str, Any]:
        """Return the values for an error message."""
        return {
            "difference": self.percent_text,
            "limit": f"{PARITY_LIMIT:.1%}".replace("%", " %"),
            "flips": self.flips,
            "images": self.images,
        }


def compare(
    expected: Sequence[float], found: Sequence[float], threshold: float, found_threshold: float | None = None
) -> Parity:
    """Compare scores of the same images.

    Args:
        expected: reference scores.
        found: scores to check.
        threshold: a score strictly above it is anomalous.
        found_threshold: the threshold of ``found`` where it differs.

    Raises:
        ValueError: when their lengths differ or are 0.
    """
    other_threshold = threshold if found_threshold is None else found_threshold
    pairs = list(zip(expected, found, strict=True))
    if not pairs:
        raise ValueError("nothing to compare")
    return Parity(
        difference=max(_difference(right, other) for right, other in pairs),
        flips=sum((other > other_threshold) != (right > threshold) for right, other in pairs),
        images=len(pairs),
    )


def _difference(expected: float, found: float) -> float:
    """Return the relative difference; infinity for NaN and infinite scores."""
    relative = abs(found - expected) / max(abs(expected), _MIN_SCORE)
    return relative if math.isfinite(relative) else math.inf
