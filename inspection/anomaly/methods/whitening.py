"""Principal axes of patch features, whitened in full or in part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.arrays import FloatArray

DIMENSIONS = 256
AXES = 256
SHRINKAGE = 0.1
_MIN_DEVIATION = 1e-6


def principal_axes(features: FloatArray, exponent: float) -> tuple[FloatArray, FloatArray]:
    """Return projection ``(D, K)`` and offset ``(K,)`` to the ``AXES`` strongest axes, strongest first.

    Fewer axes than features hardly change a distance and make the search faster in proportion.

    Args:
        features: float32 ``(n, D)``.
        exponent: an axis of variance ``v`` is divided by ``v ** (exponent / 2)``: 1 whitens, 0 only turns.
    """
    return _Axes.of(features, AXES).projection(exponent)


def whitening(features: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return projection ``(D, K)`` and offset ``(K,)`` that standardise and whiten ``features`` ``(n, D)``.

    The ``DIMENSIONS`` strongest axes are kept.
    """
    return _Axes.of(features, DIMENSIONS).projection(1.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Axes:
    """The strongest principal axes of standardised features.

    Attributes:
        mean: ``(D,)`` of the features.
        deviation: ``(D,)``.
        variances: ``(K,)`` along the axes, descending.
        vectors: ``(D, K)``.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    variances: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @classmethod
    def of(cls, features: FloatArray, count: int) -> _Axes:
        """Return the ``count`` strongest axes.

        The covariance is shrunk towards a multiple of the identity (Ledoit and Wolf 2004, with a fixed weight), so that
        whitening does not amplify axes with hardly any variance.
        """
        mean = features.mean(axis=0, dtype=np.float64)
        deviation = features.std(axis=0, dtype=np.float64) + _MIN_DEVIATION
        standard = ((features - mean.astype(np.float32)) / deviation.astype(np.float32)).astype(np.float32)
        covariance = (standard.T @ standard).astype(np.float64) / len(features)
        size = len(covariance)
        covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / size * np.eye(size)
        values, vectors = np.linalg.eigh(covariance)
        order = np.argsort(-values, kind="stable")[:count]
        return cls(mean, deviation, np.maximum(values[order], _MIN_DEVIATION), vectors[:, order])

    def projection(self, exponent: float) -> tuple[FloatArray, FloatArray]:
        """Return projection ``(D, K)`` and offset ``(K,)``; an axis is divided by its variance to ``exponent`` / 2."""
        projection = self.vectors / self.variances ** (exponent / 2) / self.deviation[:, None]
        return projection.astype(np.float32), (-self.mean @ projection).astype(np.float32)
