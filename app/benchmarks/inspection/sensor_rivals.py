"""What a model of a series is measured against: scores of a whole table, as multiples of their thresholds.

Each has the same windows of means and log-spreads, and as threshold the 99th percentile of its training scores.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.benchmarks.inspection.skab_baselines import baselines
from inspection.sensor import SensorTraining
from inspection.sensor.training.feature_scaling import windows_of

WINDOW = 12
_DISCORD = 36
_PERCENT = 99.0
_TREES = 100

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Scorer = Callable[[Matrix, int], Vector]


def filled(values: Matrix) -> Matrix:
    """Return values with the last known one where one is missing, and the median before the first."""
    out = values.copy()
    for column in out.T:
        known = ~np.isnan(column)
        places = np.maximum.accumulate(np.where(known, np.arange(len(column)), -1))
        column[:] = np.where(places >= 0, column[np.maximum(places, 0)], np.nanmedian(column))
    return out


def t2_and_q(values: Matrix, training: int) -> Vector:
    """Return Hotelling's T² and Q of principal components, added up."""
    return baselines(filled(values), training, SensorTraining(window=WINDOW)).t2_q


def residual_of_components(values: Matrix, training: int) -> Vector:
    """Return Q, the residual of principal components."""
    return baselines(filled(values), training, SensorTraining(window=WINDOW)).q


def isolation_forest(values: Matrix, training: int) -> Vector:
    """Return the score of an isolation forest (Liu, Ting and Zhou 2008) of scikit-learn."""
    from sklearn.ensemble import IsolationForest

    windows = windows_of(values[:training], WINDOW)
    if windows is None:
        raise ValueError("no windows")
    features = windows.features(filled(values))
    forest = IsolationForest(n_estimators=_TREES, random_state=0).fit(features[WINDOW:training])
    scores = -forest.score_samples(features)
    # Scores lie between a half and one: counted from what is usual.
    usual = float(np.median(scores[:training]))
    above = scores - usual
    return np.asarray(above / max(float(np.percentile(above[:training], _PERCENT)), 1e-9), np.float64)


def discord(values: Matrix, training: int) -> Vector:
    """Return the distance of each subsequence to the nearest one of the training, by the matrix profile of stumpy."""
    import stumpy

    table = filled(values)
    total = np.zeros(len(table))
    usual = np.zeros(training)
    for column in table.T:
        if np.ptp(column[:training]) == 0:
            continue
        within = stumpy.stump(column[:training], _DISCORD)[:, 0].astype(np.float64)
        across = stumpy.stump(column, _DISCORD, column[:training], ignore_trivial=False)[:, 0].astype(np.float64)
        usual[_DISCORD - 1 :] += within
        total[_DISCORD - 1 :] += across
    # Within the training every subsequence is its own neighbour.
    total[:training] = usual
    return np.asarray(total / max(float(np.percentile(usual[_DISCORD:], _PERCENT)), 1e-9), np.float64)


RIVALS: dict[str, Scorer] = {
    "t2q": t2_and_q,
    "pca_q": residual_of_components,
    "discord": discord,
    "forest": isolation_forest,
}
