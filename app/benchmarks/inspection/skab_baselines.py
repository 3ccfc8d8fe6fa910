"""What SKAB is measured against: principal components on the very features, folds and smoothing of the product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.smoothing import CAP, smooth, smoothing_factor
from inspection.sensor.model.windows import Windows
from inspection.sensor.training.feature_scaling import scaling_of, windows_of
from inspection.sensor.training.folds import blocks
from inspection.sensor.training.settings import SensorTraining

_KEPT_VARIANCE = 0.9

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Smoothed scores of all rows of a series, as multiples of their thresholds: above 1 is an alarm.

    Attributes:
        q: residual of the principal components (squared prediction error, Jackson and Mudholkar 1979).
        t2_q: Hotelling's T² and Q, each by its limit, added up (Yue and Qin 2001).
    """

    q: Vector
    t2_q: Vector


def baselines(values: Matrix, training_rows: int, settings: SensorTraining) -> Baselines:
    """Fit both to the first rows and score all of them.

    As many components as hold 90 % of the training variance; thresholds as the product's: a percentile of the errors
    of blocks held out in turn.

    Args:
        values: float64 ``(n, sensors)``, in the order of time.
        training_rows: how many of the first are fitted on.
        settings: of the product's model, with a window.

    Raises:
        ValueError: for settings of vectors.
    """
    windows = windows_of(values[:training_rows], settings.window)
    if windows is None:
        raise ValueError("these baselines are of windows")
    features = windows.features(values)
    first = windows.length - 1
    training = features[first:training_rows]
    q_held, t2_held = [], []
    for fold in blocks(len(training), settings.folds, windows.length):
        q, t2 = _statistics(training, fold.fitted, training[fold.held_out], settings, windows)
        q_held.append(q)
        t2_held.append(t2)
    q_limit = float(np.percentile(np.concatenate(q_held), 95))
    t2_limit = float(np.percentile(np.concatenate(t2_held), 95))
    together_held = [q / q_limit + t2 / t2_limit for q, t2 in zip(q_held, t2_held, strict=True)]
    q, t2 = _statistics(training, (slice(0, len(training)),), features, settings, windows)
    return Baselines(
        _multiples(q, q_held, first, settings), _multiples(q / q_limit + t2 / t2_limit, together_held, first, settings)
    )


def _statistics(
    training: Matrix, fitted: tuple[slice, ...], rows: Matrix, settings: SensorTraining, windows: Windows
) -> tuple[Vector, Vector]:
    """Return Q and T² of ``rows`` by the principal components of the fitted part."""
    scaling = scaling_of(training, fitted, settings, windows)
    inside, _ = scaling.apply(np.concatenate([training[part] for part in fitted]))
    middle = inside.mean(axis=0)
    _, lengths, directions = np.linalg.svd(inside - middle, full_matrices=False)
    variance = lengths**2 / len(inside)
    kept = int(np.searchsorted(np.cumsum(variance) / variance.sum(), _KEPT_VARIANCE)) + 1
    scaled, _ = scaling.apply(rows)
    along = (scaled - middle) @ directions[:kept].T
    residual = scaled - middle - along @ directions[:kept]
    return np.square(residual).sum(axis=1), (np.square(along) / variance[:kept]).sum(axis=1)


def _multiples(squares: Vector, held_out: list[Vector], first: int, settings: SensorTraining) -> Vector:
    """Cap, smooth and divide by the threshold, as the product does with its own squared errors."""
    factor = smoothing_factor(settings.window)
    pooled = np.concatenate(held_out)
    cap = CAP**2 * float(np.percentile(pooled, 95))
    smoothed = [_smooth(np.minimum(block, cap), factor, float(np.minimum(block, cap).mean())) for block in held_out]
    percent = settings.threshold_percent or 99.0
    threshold = float(np.percentile(np.concatenate(smoothed), percent))
    usual = float(np.median(pooled))
    counted = np.minimum(squares, cap)
    counted[:first] = usual
    return _smooth(counted, factor, usual) / threshold


def _smooth(squares: Vector, factor: float, before: float) -> Vector:
    return smooth(squares[:, None], factor, np.array([before]))[:, 0]
