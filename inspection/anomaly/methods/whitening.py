"""Principal axes of patch features, whitened according to the heterogeneity of the training images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.arrays import FloatArray

DIMENSIONS = 256
AXES = 160
# Measured heterogeneity: castings and drawn parts, all alike, 0.25 to 0.32; ground surfaces 0.45 to 0.59.
HOMOGENEOUS, HETEROGENEOUS = 0.35, 0.45
SHRINKAGE = 0.1
_SAMPLE_PATCHES = 6_000
_SAMPLE_QUERIES = 1_500
_MIN_DEVIATION = 1e-6


def principal_axes(features: FloatArray, images: NDArray[np.int64], seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Return projection ``(D, K)`` and offset ``(K,)`` to the ``AXES`` strongest axes, whitened as the images require.

    Fewer axes than features hardly change a distance and make the search faster in proportion. An axis of variance
    ``v`` is divided by ``v ** (whitening_exponent / 2)``.

    Args:
        features: float32 ``(n, D)``.
        images: ``(n,)``, index of the image of each feature.
        seed: of the sample the heterogeneity is estimated on.
    """
    axes = _Axes.of(features, AXES)
    projection, offset = axes.projection(0.0)
    sample = np.random.default_rng(seed).permutation(len(features))[:_SAMPLE_PATCHES]
    measured = heterogeneity(features[sample] @ projection + offset, images[sample])
    return axes.projection(whitening_exponent(measured))


def heterogeneity(patches: FloatArray, images: NDArray[np.int64]) -> float:
    """Return how far the patches of an image lie from those of others: 0 for identical images, about 1 at most.

    The median, over the first ``_SAMPLE_QUERIES`` patches, of the distance to the nearest patch of another image,
    divided by the median distance to all patches of other images.

    Args:
        patches: float32 ``(n, K)``, a sample in random order.
        images: ``(n,)``, index of the image of each.

    Returns:
        0 when all patches belong to one image.
    """
    queries = patches[:_SAMPLE_QUERIES]
    norms = np.einsum("ij,ij->i", patches, patches)
    squares = norms[: len(queries), None] + norms[None] - 2.0 * queries @ patches.T
    other_image = images[: len(queries), None] != images[None]
    comparable = other_image.any(axis=1)
    if not comparable.any():
        return 0.0
    distances = np.sqrt(np.maximum(np.where(other_image, squares, np.nan)[comparable], 0.0))
    median = np.maximum(np.nanmedian(distances, axis=1), _MIN_DEVIATION)
    return float(np.median(np.nanmin(distances, axis=1) / median))


def whitening_exponent(heterogeneity: float) -> float:
    """Return how far axes are whitened: 1 (fully) for homogeneous images, 0 (not at all) for heterogeneous ones.

    Whitening amplifies the small differences between parts that look alike. Where every part has its own surface
    texture, it drowns small dark spots in the grain.
    """
    return min(1.0, max(0.0, (HETEROGENEOUS - heterogeneity) / (HETEROGENEOUS - HOMOGENEOUS)))


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
