"""The principal components of features as a network, and the errors of rows that they were not fitted to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.evidence import Evidence
from inspection.sensor.model.network import Network
from inspection.sensor.model.scaling import Scaling
from inspection.sensor.training.folds import blocks

_CLIPPED_FEATURES = 6.0
_LEAST_SCALE = 0.05
_KEPT_VARIANCE = 0.9
_FOLDS = 5
_MOST_SAMPLED = 20_000

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def components(features: Matrix) -> tuple[Scaling, Network]:
    """Return the scaling of features, and their principal components as a network.

    As many as hold nine tenths of the variance, and fewer than half of the features: with a ReLU each takes two
    units, and the bottleneck stays narrower than the input.
    """
    center, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), _LEAST_SCALE)
    step = max(1, len(features) // _MOST_SAMPLED)
    clipped = np.clip((features[::step] - center) / deviation, -_CLIPPED_FEATURES, _CLIPPED_FEATURES)
    variance, directions = np.linalg.eigh(np.atleast_2d(np.cov(clipped, rowvar=False)))
    variance, directions = np.maximum(variance[::-1], 0.0), directions[:, ::-1]
    shares = np.cumsum(variance) / max(float(variance.sum()), 1e-12)
    kept = min(int(np.searchsorted(shares, _KEPT_VARIANCE)) + 1, (len(variance) - 1) // 2)
    taken = directions[:, :kept].astype(np.float32)
    # ReLU(x) - ReLU(-x) is x.
    network = Network(
        (np.concatenate([taken, -taken], axis=1), np.concatenate([taken.T, -taken.T])),
        (np.zeros(2 * kept, np.float32), np.zeros(len(taken), np.float32)),
    )
    return Scaling(center, deviation, np.zeros(len(center))), network


def held_out_deviations(features: Matrix, filled: Matrix, memory: int) -> Matrix:
    """Return deviations and errors of each row, with their signs, by the components of the other blocks of rows."""
    out = np.empty((len(features), 2 * features.shape[1]))
    for fold in blocks(len(features), _FOLDS, min(memory, len(features) // (2 * _FOLDS))):
        scaling, network = components(np.concatenate([features[part] for part in fold.fitted]))
        # Scaled as later rows are, by all of them.
        deviation = np.maximum(features.std(axis=0), _LEAST_SCALE)
        out[fold.held_out] = Evidence.deviations(
            features[fold.held_out], filled[fold.held_out], Scaling(scaling.center, deviation, scaling.fill), network
        )
    return out
