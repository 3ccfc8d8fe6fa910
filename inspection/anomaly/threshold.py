"""A threshold from good images alone, with a stated rate of false alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

_LEAST_SCORE = 1e-9
_MOST_BEYOND = 10.0


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold and where it comes from.

    Attributes:
        value: a score strictly above it is anomalous.
        false_alarm_rate: the rate that was asked for.
        method: ``quantile`` (distribution-free) or ``tail`` (log-normal beyond the sample).
        sample: how many held-out good scores it stands on.
        least_sample: how many would be needed for ``quantile`` at this rate.
    """

    value: float
    false_alarm_rate: float
    method: str
    sample: int
    least_sample: int

    @property
    def sample_too_small(self) -> bool:
        """Whether the rate rests on an assumed distribution, because the sample is too small to show it."""
        return self.method == "tail"


def least_sample(false_alarm_rate: float) -> int:
    """Return how many held-out scores the distribution-free threshold needs at this rate."""
    return math.ceil(1 / false_alarm_rate - 1 - 1e-9)


def choose_threshold(scores: Sequence[float], false_alarm_rate: float) -> Threshold:
    """Choose a threshold from the scores of good images that the model was not fitted on.

    With enough scores: the ``⌈(n + 1)(1 - α)⌉``-th smallest, which a further good image exceeds with a probability of
    at most α, whatever the distribution (split conformal prediction, Vovk et al. 2005; Lei et al. 2018). With fewer:
    the upper prediction limit of a log-normal distribution for one further value, never below the largest score
    nor above ten times that.

    Args:
        scores: at least two, held out of the fit.
        false_alarm_rate: α, between 0 and 1: the share of good parts that may be rejected.

    Raises:
        ValueError: when there are fewer than two scores or the rate is not between 0 and 1.
    """
    if len(scores) < 2:  # noqa: PLR2004 - a spread needs two
        raise ValueError("a threshold needs at least two scores")
    if not 0 < false_alarm_rate < 1:
        raise ValueError("the rate of false alarms lies between 0 and 1")
    ordered = sorted(scores)
    count = len(ordered)
    needed = least_sample(false_alarm_rate)
    rank = math.ceil((count + 1) * (1 - false_alarm_rate) - 1e-9)
    if rank <= count:
        return Threshold(ordered[rank - 1], false_alarm_rate, "quantile", count, needed)
    logarithms = [math.log(max(score, _LEAST_SCORE)) for score in ordered]
    factor = student_quantile(1 - false_alarm_rate, count - 1) * math.sqrt(1 + 1 / count)
    largest = logarithms[-1]
    limit = min(fmean(logarithms) + factor * stdev(logarithms), largest + math.log(_MOST_BEYOND))
    return Threshold(max(math.exp(limit), ordered[-1]), false_alarm_rate, "tail", count, needed)


def student_quantile(probability: float, degrees: int) -> float:
    """Return the quantile of Student's t distribution.

    Exact for one and two degrees of freedom, else the expansion of Abramowitz and Stegun, formula 26.7.5.
    """
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
