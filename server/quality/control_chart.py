"""Control chart of the fraction nonconforming (p chart) and Nelson's run rules; pure.

Sources: NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.2 "Proportions Control Charts" (limits for each sample
size); L. S. Nelson, "The Shewhart Control Chart - Tests for Special Causes", Journal of Quality Technology 16 (1984),
237-239 (tests 1 to 4); D. C. Montgomery, "Introduction to Statistical Quality Control", 7.3.2 (the standardised chart,
on which run rules apply where sample sizes differ).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SIGMAS = 3.0
_SAME_SIDE, _TREND, _ALTERNATING = 9, 6, 14
_DIGITS = 6
"""Places to which fractions are given."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Inspected parts of one day.

    Attributes:
        inspected: OK and NG; at least one.
        nonconforming: NG.
    """

    inspected: int
    nonconforming: int


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A point of the chart; fractions from 0 to 1.

    Attributes:
        fraction: nonconforming among inspected.
        lower: control limit of a sample of this size, not below 0.
        upper: the other one, not above 1.
        z: distance from the centre line in standard deviations of a sample of this size.
        rules: numbers of Nelson's rules that end here.
    """

    fraction: float
    lower: float
    upper: float
    z: float
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A p chart: the centre line p̄ = Σ nonconforming / Σ inspected, None without samples, and its points."""

    centre: float | None
    points: tuple[ChartPoint, ...]


def p_chart(samples: Sequence[Sample]) -> Chart:
    """Return the p chart of samples in their order in time: p̄ ± 3·√(p̄(1 − p̄)/nᵢ), and the run rules on zᵢ."""
    inspected = sum(sample.inspected for sample in samples)
    if not inspected:
        return Chart(None, ())
    centre = sum(sample.nonconforming for sample in samples) / inspected
    fractions = [sample.nonconforming / sample.inspected for sample in samples]
    sigmas = [math.sqrt(centre * (1 - centre) / sample.inspected) for sample in samples]
    # Where nothing, or everything, is nonconforming, no point differs from the centre.
    zs = [(fraction - centre) / sigma if sigma else 0.0 for fraction, sigma in zip(fractions, sigmas, strict=True)]
    rules = nelson_rules(zs)
    points = tuple(
        ChartPoint(
            round(fraction, _DIGITS),
            round(max(0.0, centre - _SIGMAS * sigma), _DIGITS),
            round(min(1.0, centre + _SIGMAS * sigma), _DIGITS),
            round(z, _DIGITS),
            violated,
        )
        for fraction, sigma, z, violated in zip(fractions, sigmas, zs, rules, strict=True)
    )
    return Chart(round(centre, _DIGITS), points)


def nelson_rules(zs: Sequence[float]) -> list[tuple[int, ...]]:
    """Return for each point of a standardised chart the rules that a run which ends there breaks.

    1: one point beyond 3 σ. 2: nine in a row on one side of the centre. 3: six in a row, all rising or all falling.
    4: fourteen in a row that alternate up and down.

    Args:
        zs: distances from the centre in standard deviations, in time.
    """
    tests: dict[int, Callable[[int], bool]] = {
        1: lambda end: abs(zs[end]) > _SIGMAS,
        2: lambda end: _on_one_side(zs[max(0, end - _SAME_SIDE + 1) : end + 1]),
        3: lambda end: _is_trend(zs[max(0, end - _TREND + 1) : end + 1]),
        4: lambda end: _alternates(zs[max(0, end - _ALTERNATING + 1) : end + 1]),
    }
    return [tuple(rule for rule, broken in tests.items() if broken(end)) for end in range(len(zs))]


def _on_one_side(run: Sequence[float]) -> bool:
    return len(run) == _SAME_SIDE and (all(z > 0 for z in run) or all(z < 0 for z in run))


def _is_trend(run: Sequence[float]) -> bool:
    steps = _steps(run)
    return len(run) == _TREND and (all(step > 0 for step in steps) or all(step < 0 for step in steps))


def _alternates(run: Sequence[float]) -> bool:
    steps = _steps(run)
    return len(run) == _ALTERNATING and all(one * next_one < 0 for one, next_one in pairwise(steps))


def _steps(run: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(run)]
