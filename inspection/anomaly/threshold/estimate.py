"""Thresholds from good images alone, with a stated false-alarm rate."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist, fmean, stdev

_MIN_SCORE = 1e-9
_LARGEST_SAMPLE = 1e18
_ROUNDING = 1e-9
# The largest float below 1.
_LARGEST_PROBABILITY = math.nextafter(1.0, 0.0)
MAX_EXTRAPOLATION = 10.0
"""No policy sets a threshold above this multiple of the largest score."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold and its derivation.

    Attributes:
        value: a score strictly above it is anomalous.
        false_alarm_rate: the requested rate; for ``f1`` and ``cost`` the expected rate.
        method: ``quantile`` (distribution-free), ``log-normal`` (prediction limit beyond a small sample), ``tail``
            (generalised Pareto), ``f1`` or ``cost`` (defect images); ``tail`` in a file of format 1 is ``log-normal``.
        sample: number of held-out good scores, near duplicates counted as one; for ``f1`` and ``cost`` of all.
        least_sample: number of scores needed for this rate without a distributional assumption.
        defects: number of defect images used.
    """

    value: float
    false_alarm_rate: float
    method: str
    sample: int
    least_sample: int
    defects: int = 0

    @property
    def sample_too_small(self) -> bool:
        """Whether the sample is too small for the rate, which then relies on a distributional assumption."""
        return self.sample < self.least_sample


def least_sample(false_alarm_rate: float) -> int:
    """Return the number of held-out scores the distribution-free threshold needs at this rate."""
    return math.ceil(min(1 / false_alarm_rate, _LARGEST_SAMPLE) - 1 - 1e-9)


def choose_threshold(
    scores: Sequence[float], false_alarm_rate: float, groups: Sequence[int] | None = None
) -> Threshold:
    """Return a threshold from held-out scores of good images.

    With n groups, enough for the rate: the score at the position ``(n + 1)(1 - α)``, interpolated between neighbouring
    scores. The images of a group share a weight of one; the position of a score is the middle of its own weight plus
    one half, so without near duplicates the k-th smallest score is at k. A further part exceeds that with a probability
    of ``1 - k/(n + 1)``, whatever the distribution (split conformal prediction, Vovk et al. 2005; with groups Lee,
    Barber and Willett 2023). Between two scores the probability is that of a fractional order statistic (Hutson 1999)
    up to an error of order 1/n² (Beran and Hall 1993). So the rate holds on average over trainings. It is no bound from
    above; the next whole order statistic would be one, at a rate lower by up to 1/(n + 1). With fewer groups:
    ``prediction_limit`` of the highest score of each.

    Args:
        scores: of at least two groups, held out of the fit.
        false_alarm_rate: α, between 0 and 1: the share of good parts that may be rejected.
        groups: the group of near duplicates of each score; None when each is its own.

    Raises:
        ValueError: when there are fewer than two groups or the rate is not between 0 and 1.
    """
    group_of = range(len(scores)) if groups is None else groups
    sizes = Counter(group_of)
    count = len(sizes)
    require_sample(count, false_alarm_rate)
    needed = (count + 1) * (1 - false_alarm_rate)
    if needed > count + _ROUNDING:
        return prediction_limit(highest_of_groups(scores, group_of), false_alarm_rate)
    ordered = sorted(zip(scores, group_of, strict=True))
    weights = [1 / sizes[group] for _, group in ordered]
    positions = [total - (weight - 1) / 2 for total, weight in zip(accumulate(weights), weights, strict=True)]
    value = _interpolated(needed, positions, [score for score, _ in ordered])
    return Threshold(value, false_alarm_rate, "quantile", count, least_sample(false_alarm_rate))


def _interpolated(needed: float, positions: Sequence[float], scores: Sequence[float]) -> float:
    """Return the score at the position ``needed``, linear between neighbours; beyond the ends that of the end.

    Args:
        needed: the position.
        positions: of the scores, rising.
        scores: in ascending order.
    """
    above = bisect_left(positions, needed)
    if above == 0:
        return scores[0]
    if above == len(positions):
        # The position of the highest score may fall short of the number of groups by rounding.
        return scores[-1]
    (low, high), (before, after) = scores[above - 1 : above + 1], positions[above - 1 : above + 1]
    # Within the neighbours, whatever the rounding: equal scores give exactly that score.
    return min(max(low + (needed - before) / (after - before) * (high - low), low), high)


def highest_of_groups(scores: Sequence[float], groups: Iterable[int]) -> list[float]:
    """Return the highest score of each group, in the order of the groups' numbers."""
    highest: dict[int, float] = {}
    for score, group in zip(scores, groups, strict=True):
        highest[group] = max(score, highest.get(group, score))
    return [highest[group] for group in sorted(highest)]


def prediction_limit(scores: Sequence[float], false_alarm_rate: float) -> Threshold:
    """Return the upper prediction limit of a log-normal distribution for one further score (Hahn and Meeker 1991).

    Never below the largest score nor above ``MAX_EXTRAPOLATION`` times it.

    Raises:
        ValueError: when there are fewer than two scores or the rate is not between 0 and 1.
    """
    count = len(scores)
    require_sample(count, false_alarm_rate)
    logarithms = [math.log(max(score, _MIN_SCORE)) for score in scores]
    factor = student_quantile(1 - false_alarm_rate, count - 1) * math.sqrt(1 + 1 / count)
    limit = min(fmean(logarithms) + factor * stdev(logarithms), max(logarithms) + math.log(MAX_EXTRAPOLATION))
    value = max(math.exp(limit), *scores)
    return Threshold(value, false_alarm_rate, "log-normal", count, least_sample(false_alarm_rate))


def require_sample(count: int, false_alarm_rate: float) -> None:
    """Check that a threshold can be estimated from ``count`` scores, or groups of scores.

    Raises:
        ValueError: when there are fewer than two or the rate is not between 0 and 1.
    """
    if count < 2:  # noqa: PLR2004 - a spread needs two
        raise ValueError("a threshold needs scores of at least two parts")
    if not 0 < false_alarm_rate < 1:
        raise ValueError("the false-alarm rate must lie between 0 and 1")


def student_quantile(probability: float, degrees: int) -> float:
    """Return the quantile of Student's t distribution.

    Exact for one and two degrees of freedom, else the expansion of Abramowitz and Stegun, formula 26.7.5.
    """
    probability = min(probability, _LARGEST_PROBABILITY)
    if degrees == 1:
        return math.tan(math.pi * (probability - 0.5))
    if degrees == 2:  # noqa: PLR2004
        alpha = 4 * probability * (1 - probability)
        return 2 * (probability - 0.5) * math.sqrt(2 / alpha)
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / degrees**power for power, term in enumerate(terms, start=1))
