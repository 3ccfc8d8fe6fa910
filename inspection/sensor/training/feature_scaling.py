"""The features of training rows and their scaling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.scaling import Scaling, fit_scaling, is_resting
from inspection.sensor.model.windows import Windows, stationarity
from inspection.sensor.training.settings import SensorTraining

_SPREAD_WEIGHT = 0.3
"""Weight of a sensor's log-spread relative to its mean, as it is noisier."""
_RESTING_SPREAD = 0.25
"""Least deviation of the log-spread of a sensor at rest; that of others is about as large."""
_MIN_STATIONARITY = 0.01

Matrix = NDArray[np.float64]


def windows_of(values: Matrix, length: int) -> Windows | None:
    """Return the window feature extractor fitted to rows ``(n, sensors)``; None for vectors (``length`` 1)."""
    if length == 1:
        return None
    scaling = fit_scaling(values, "standard")
    return Windows(length, scaling.center, scaling.scale)


def scaling_of(
    features: Matrix, fitted: tuple[slice, ...], settings: SensorTraining, windows: Windows | None
) -> Scaling:
    """Return the scaling fitted to runs of rows.

    Args:
        features: float64 ``(n, features)``.
        fitted: the runs to fit on.
        settings: with the kind of scaling.
        windows: the feature extractor; None for vectors.
    """
    rows = np.concatenate([features[part] for part in fitted])
    absent = np.isnan(rows).all(axis=0)
    if absent.any() and len(rows) < len(features):
        # A sensor without a value in these runs is scaled by all rows.
        whole = scaling_of(features, (slice(0, len(features)),), settings, windows)
        present = _scaling_of(np.where(absent, whole.center, rows), features, fitted, settings, windows)
        return Scaling(
            present.center,
            np.where(absent, whole.scale, present.scale),
            np.where(absent, whole.fill, present.fill),
        )
    return _scaling_of(rows, features, fitted, settings, windows)


def _scaling_of(
    rows: Matrix, features: Matrix, fitted: tuple[slice, ...], settings: SensorTraining, windows: Windows | None
) -> Scaling:
    if windows is None:
        return fit_scaling(rows, settings.scaling)
    sensors = features.shape[1] // 2
    weight = np.full(2 * sensors, _SPREAD_WEIGHT)
    # Drifting means get a low weight, or every later row would be anomalous.
    weight[:sensors] = np.maximum(stationarity(features[:, :sensors], fitted, windows.length), _MIN_STATIONARITY)
    # The spread of a sensor at rest jumps with its first change, from nothing.
    least = np.zeros(2 * sensors)
    least[sensors:] = np.where(is_resting(rows[:, sensors:]), _RESTING_SPREAD, 0.0)
    return fit_scaling(rows, settings.scaling, weight, least)
