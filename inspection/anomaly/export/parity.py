"""Whether two computations of the same scores agree: training and runtime, two precisions, two computers."""

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
    """How well two rows of scores agree.

    Attributes:
        difference: the largest, relative to the expected score.
        flips: how many verdicts differ.
        images: of how many.
    """

    difference: float
    flips: int
    images: int

    @property
    def holds(self) -> bool:
        """Whether scores differ by 1e-3 at most and no verdict flips."""
        return self.difference <= PARITY_LIMIT and self.flips == 0

    @property
    def percent_text(self) -> str:
        """The difference as a share of the score for people: ``49.4 %``, with more digits where it is small."""
        share = 100 * self.difference
        if not math.isfinite(share):
            return "∞ %"
        return f"{share:.1f} %" if share >= _MIN_SHOWN else f"{share:.3g} %"

    def values(self) -> dict[str, Any]:
        """Return what the text of an error names."""
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
        expected: what they should be.
        found: what they are.
        threshold: a score strictly above it is anomalous.
        found_threshold: the same for ``found``, where that has another.

    Raises:
        ValueError: when there are not as many of both, or none.
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
    """Return the relative difference; a score that is no number differs without bound."""
    away = abs(found - expected) / max(abs(expected), _MIN_SCORE)
    return away if math.isfinite(away) else math.inf
