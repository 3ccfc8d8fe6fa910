"""From features of a series to one score: each feature by its limit, the far ones counting most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.sensor.model.network import Network
from inspection.sensor.model.scaling import Scaling

POWER = 6
"""Of the norm over the features: near the largest one, yet several that are a little off add up."""
_LARGEST = 20.0
"""Scaled features are clipped to this magnitude before the network rebuilds them, so that one does not drown others."""
_FARTHEST = 1e6
_ROUNDS = 10
"""In which the network completes rows of which some sensors are missing."""
_UNEQUAL = 0.01
"""Difference between the shares of known rows from which on sensors count as missing."""

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """Weighs how far features are from their usual values, and from what the network rebuilds of them.

    Attributes:
        limits: float64 ``(2 * features,)``, above 0, what each reaches in normal operation once in a long time: first
            the distances from the usual values, then the errors of the network.
    """

    limits: Vector

    def distances(self, features: Matrix, filled: Vector, scaling: Scaling, network: Network) -> Matrix:
        """Return the distances and errors of features, float64 ``(rows, 2 * features)``.

        Args:
            features: float64 ``(rows, features)``.
            filled: float64 ``(rows, channels)``; see ``Series.advance``. Features of scales that are not filled do not
                fit the others as those of the training do; the errors of each channel are smaller by it.
            scaling: of the features.
            network: of the scaled features.
        """
        return np.abs(self.deviations(features, filled, scaling, network))

    @staticmethod
    def deviations(features: Matrix, filled: Vector, scaling: Scaling, network: Network) -> Matrix:
        """Return what ``distances`` returns, with the signs."""
        scaled = (features - scaling.center) / scaling.scale
        clipped = np.clip(scaled, -_LARGEST, _LARGEST)
        weight = np.tile(filled, (1, scaled.shape[1] // filled.shape[1]))
        errors = weight * (clipped - network.reconstruct(_completed(clipped, weight, network)))
        return np.asarray(np.concatenate([scaled, errors], axis=1), np.float64)

    def squares(self, distances: Matrix, sensors: int) -> Matrix:
        """Return each sensor's part of the squared score, float64 ``(rows, sensors)``.

        Args:
            distances: of ``distances``.
            sensors: number of sensors; every so many features belong to them in turn.
        """
        multiples = np.minimum(distances / self.limits, _FARTHEST)
        largest = np.maximum(multiples.max(axis=1, keepdims=True), 1e-12)
        powers = (multiples / largest) ** POWER
        by_sensor = powers.reshape(len(powers), -1, sensors).sum(axis=1)
        total = by_sensor.sum(axis=1, keepdims=True)
        squared = np.square(largest * total ** (1 / POWER))
        return np.asarray(by_sensor / total * squared, np.float64)


def _completed(scaled: Matrix, weight: Matrix, network: Network) -> Matrix:
    """Return scaled features with those of missing sensors replaced, as far as they are missing, by what is rebuilt.

    The features of the other sensors would not fit neutral ones. A start or a gap of all sensors alike changes nothing.

    Args:
        scaled: float64 ``(rows, features)``.
        weight: float64 ``(rows, features)``, the share that is known, 0 to 1.
        network: of the scaled features.
    """
    rows = np.flatnonzero(np.ptp(weight, axis=1) > _UNEQUAL)
    if not len(rows):
        return scaled
    share = weight[rows] / weight[rows].max(axis=1, keepdims=True)
    known, found = share * scaled[rows], scaled[rows]
    for _ in range(_ROUNDS):
        found = known + (1 - share) * network.reconstruct(found)
    out = scaled.copy()
    out[rows] = found
    return out
