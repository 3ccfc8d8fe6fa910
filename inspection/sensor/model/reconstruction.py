"""Squared reconstruction errors of feature rows, missing values imputed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network
from inspection.sensor.model.scaling import Scaling

_AT_ONCE = 32_768
"""Rows that are scored together: many times as many numbers as a row has are needed on the way."""
_FILLING_ROUNDS = 10
"""Each takes off what a value shares with the others: after ten a gap says next to nothing of its own."""


def squared_errors(features: NDArray[np.float64], scaling: Scaling, network: Network) -> NDArray[np.float64]:
    """Return the squared differences of scaled features and their reconstruction.

    A missing value begins as the training median and takes the network's own reconstruction ten times, so that it
    agrees with the values that are there; its own error does not count, and the others are weighed up by features over
    known features, so that scores stay comparable with the threshold. All NaN where more than half are missing.

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
    # One sum in place of a look at every value: it is NaN when one of them is.
    if math.isnan(scaled.sum()):
        known = ~np.isnan(scaled)
        scaled = np.where(known, scaled, scaling.fill)
        for _ in range(_FILLING_ROUNDS):
            scaled = np.where(known, scaled, network.reconstruct(scaled))
    difference = scaled - network.reconstruct(scaled)
    squares: NDArray[np.float64] = difference * difference
    if known is None:
        return squares
    count = known.sum(axis=-1, keepdims=True)
    whole = known.shape[-1]
    weighed = np.where(known, squares, 0.0) * (whole / np.maximum(count, 1))
    return np.where(2 * count >= whole, weighed, np.nan)
