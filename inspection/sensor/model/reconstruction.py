"""Squared reconstruction errors of feature rows, missing values imputed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network
from inspection.sensor.model.scaling import Scaling

_AT_ONCE = 32_768
"""Rows per chunk, bounding the memory of intermediate arrays."""
_IMPUTATION_ROUNDS = 10
"""After ten rounds imputed values agree with the known ones."""


def squared_errors(features: NDArray[np.float64], scaling: Scaling, network: Network) -> NDArray[np.float64]:
    """Return the squared differences between scaled features and their reconstruction.

    Missing values are imputed by the training median, then ten times by the network's reconstruction, to agree with the
    known values. Their errors are 0, and the others are multiplied by features / known features, so that scores stay
    comparable with the threshold. All errors are NaN when more than half of the features are missing.

    Args:
        features: float64 ``(..., features)``; NaN where missing.
        scaling: of the features.
        network: the autoencoder.
    """
    if features.ndim != 2 or len(features) <= _AT_ONCE:  # noqa: PLR2004 - rows and features
        return _squared_errors(features, scaling, network)
    out = np.empty(features.shape)
    for start in range(0, len(features), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        out[part] = _squared_errors(features[part], scaling, network)
    return out


def _squared_errors(features: NDArray[np.float64], scaling: Scaling, network: Network) -> NDArray[np.float64]:
    scaled = (features - scaling.center) / scaling.scale
    known = None
    # The sum is NaN if any value is; faster than testing each.
    if math.isnan(scaled.sum()):
        known = ~np.isnan(scaled)
        scaled = np.where(known, scaled, scaling.fill)
        for _ in range(_IMPUTATION_ROUNDS):
            scaled = np.where(known, scaled, network.reconstruct(scaled))
    difference = scaled - network.reconstruct(scaled)
    squares: NDArray[np.float64] = difference * difference
    if known is None:
        return squares
    count = known.sum(axis=-1, keepdims=True)
    total = known.shape[-1]
    weighted = np.where(known, squares, 0.0) * (total / np.maximum(count, 1))
    return np.where(2 * count >= total, weighted, np.nan)
