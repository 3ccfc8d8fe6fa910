"""Threshold from the upper tail of good scores, by extreme-value theory."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.threshold.estimate import (
    MAX_EXTRAPOLATION,
    Threshold,
    choose_threshold,
    least_sample,
    prediction_limit,
    require_sample,
)

MIN_EXCESSES = 10
"""Minimum number of excesses for fitting a generalised Pareto distribution."""
_LARGEST_SHARE = 0.25
_TAIL_SHARE = 0.15
# Shapes outside are small-sample artefacts: below, the end point lies within the sample; above, the tail is too heavy.
_SHAPES = (-0.5, 0.5)
_FLAT = 1e-6
# Rarer events lie beyond any sample and overflow floats in the formulas.
_MIN_RATE = 1e-15
_RESAMPLES = 400
_BISECTIONS = 40
_SEARCH_RANGE = 12.0
_Floats = NDArray[np.float64]


def tail_threshold(scores: Sequence[float], false_alarm_rate: float) -> Threshold:
    """Return a threshold by peaks over threshold: a generalised Pareto distribution (GPD) of the largest scores.

    The GPD is the limit distribution of excesses over a high level (Pickands 1975; Balkema and de Haan 1974). The level
    is the score below the largest 15 %, at least ten; a further good image exceeds it with probability
    ``(k + 1)/(n + 1)``. For rates above that the sample quantile is used. The quantile of the fitted GPD alone is
    exceeded too often, as the fit is uncertain; it is calibrated so that the rate holds on average over fits to samples
    drawn from the fitted GPD (Beran 1990). With fewer than ten scores in the upper quarter: ``prediction_limit``. Never
    above ``MAX_EXTRAPOLATION`` times the largest score.

    Args:
        scores: at least two, held out of the fit.
        false_alarm_rate: α, between 0 and 1.

    Raises:
        ValueError: when there are fewer than two scores or the rate is not between 0 and 1.
    """
    ordered = sorted(scores)
    count = len(ordered)
    require_sample(count, false_alarm_rate)
    excesses = max(MIN_EXCESSES, math.ceil(_TAIL_SHARE * count))
    if excesses > _LARGEST_SHARE * count:
        return prediction_limit(scores, false_alarm_rate)
    exceeded = (excesses + 1) / (count + 1)
    if false_alarm_rate >= exceeded:
        value = choose_threshold(ordered, false_alarm_rate).value
    else:
        level = ordered[count - excesses - 1]
        over = np.array(ordered[count - excesses :]) - level
        excess = _calibrated_quantile(over, max(false_alarm_rate / exceeded, _MIN_RATE))
        value = min(level + excess, MAX_EXTRAPOLATION * ordered[-1])
    return Threshold(value, false_alarm_rate, "tail", count, least_sample(false_alarm_rate))


def fit_pareto(excesses: _Floats) -> tuple[_Floats, _Floats]:
    """Fit generalised Pareto distributions by probability-weighted moments (Hosking and Wallis 1987).

    Args:
        excesses: ``(..., n)``, not negative, ``n`` at least two.

    Returns:
        scales and shapes ξ, ``(...)``; shapes are clipped to -0.5 … 0.5, with the scale adjusted to keep the mean.
    """
    ordered = np.sort(excesses, axis=-1)
    count = ordered.shape[-1]
    mean = ordered.mean(axis=-1)
    weighted = (ordered * (count - np.arange(1, count + 1)) / (count - 1)).mean(axis=-1)
    spread = mean - 2 * weighted
    positive = spread > 0
    shape = np.where(positive, 2 - mean / np.where(positive, spread, 1.0), _SHAPES[0])
    shape = np.clip(shape, *_SHAPES)
    return mean * (1 - shape), shape


def excess_quantile(scale: _Floats, shape: _Floats, exceeding: _Floats | float) -> _Floats:
    """Return the excess with the exceedance probability ``exceeding``, between 0 and 1."""
    nonzero = _nonzero_shape(shape)
    found: _Floats = scale / nonzero * (np.power(exceeding, -nonzero) - 1)
    return found


def _calibrated_quantile(excesses: _Floats, exceeding: float) -> float:
    """Return the excess with the exceedance probability ``exceeding``, including the uncertainty of the fit.

    The seed of the resampling is fixed, so that the same scores give the same threshold.
    """
    scale, shape = fit_pareto(excesses)
    if scale <= 0:
        return 0.0
    drawn = np.random.default_rng(0).random((_RESAMPLES, len(excesses)))
    scales, shapes = fit_pareto(excess_quantile(scale, shape, 1.0 - drawn))
    low, high = math.log(exceeding) - _SEARCH_RANGE, math.log(exceeding)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _survival(scale, shape, excess_quantile(scales, shapes, math.exp(middle))).mean() > exceeding:
            high = middle
        else:
            low = middle
    return float(excess_quantile(scale, shape, math.exp(low)))


def _survival(scale: _Floats, shape: _Floats, excess: _Floats) -> _Floats:
    """Return the probability that an excess is larger than ``excess``."""
    nonzero = _nonzero_shape(shape)
    found: _Floats = np.power(np.maximum(1 + nonzero * excess / scale, 0.0), -1 / nonzero)
    return found


def _nonzero_shape(shape: _Floats) -> _Floats:
    """Return the shape, moved off 0 where the formulas divide by it; the limit is the exponential distribution."""
    return np.where(np.abs(shape) < _FLAT, _FLAT, shape)
