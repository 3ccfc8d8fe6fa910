"""PaDiM: Mahalanobis distance of a patch to the good patches at the same position (Defard et al. 2020).

A variant: features are standardised, whitened and reduced by a random orthonormal projection (the paper selects
features at random; on held-out castings of the training set the projection was as good or better). Each position has
its own mean and a covariance shrunk halfway to the shared one, as there are about as many images as dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from inspection.anomaly.methods.map_smoothing import smooth_map
from inspection.anomaly.methods.whitening import whitening
from inspection.runtime.arrays import FloatArray

DIMENSIONS = 100
SHRINKAGE = 0.5
# Regularises axes without variance (ε in the paper).
RIDGE = 0.01
_POSITIONS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Padim:
    """A fitted PaDiM.

    Attributes:
        projection: float32 ``(D, K)``; reduced = features @ projection + offset.
        offset: float32 ``(K,)``.
        means: float32 ``(P, K)``, of each position of the patch grid in row-major order.
        factors: float32 ``(P, K, K)``; ``|(x - mean) @ factor|`` is the Mahalanobis distance.
    """

    projection: FloatArray
    offset: FloatArray
    means: FloatArray
    factors: FloatArray

    def distances(self, features: FloatArray) -> FloatArray:
        """Return the Mahalanobis distance at each position, float32 ``(P,)``, of features ``(P, D)``.

        Raises:
            ValueError: when the number of positions differs from the model's.
        """
        if len(features) != len(self.means):
            raise ValueError(f"{len(features)} positions, the model has {len(self.means)}")
        residuals = features @ self.projection + self.offset - self.means
        whitened = np.matmul(residuals[:, None], self.factors)[:, 0]
        distances: FloatArray = np.sqrt(np.einsum("ij,ij->i", whitened, whitened))
        return distances

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the smoothed anomaly map of an image, float32 ``shape``, from its features ``(h·w, D)``."""
        return smooth_map(self.distances(features).reshape(shape))


def fit(
    samples: FloatArray,
    grids: Callable[[], Iterable[FloatArray]],
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> Padim:
    """Fit on the patches of aligned good images.

    Args:
        samples: float32 ``(n, D)``, patches of all images, from which the projection is computed.
        grids: returns the features of each image on the patch grid, float32 ``(h, w, D)``, all of one shape.
        seed: of the random projection.
        check: called regularly; an exception it raises aborts the fit.

    Raises:
        ValueError: when there are no images or their grids differ in shape.
    """
    projection, offset = _reduction(samples, seed)
    check()
    reduced = []
    for grid in grids():
        check()
        reduced.append(grid.reshape(-1, grid.shape[-1]) @ projection + offset)
    if not reduced or any(len(positions) != len(reduced[0]) for positions in reduced):
        raise ValueError("every position needs a patch of every image")
    stacked = np.stack(reduced, axis=1)
    means = stacked.mean(axis=1, dtype=np.float64).astype(np.float32)
    stacked -= means[:, None]
    return Padim(projection, offset, means, _factors(stacked, check))


def _reduction(samples: FloatArray, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return projection ``(D, K)`` and offset ``(K,)``: whitening, then a random orthonormal basis."""
    projection, offset = whitening(samples)
    size = projection.shape[1]
    if size <= DIMENSIONS:
        return projection, offset
    drawn = np.random.default_rng(seed).standard_normal((size, DIMENSIONS))
    basis = np.linalg.qr(drawn)[0].astype(np.float32)
    return np.ascontiguousarray(projection @ basis), offset @ basis


def _factors(residuals: FloatArray, check: Callable[[], None]) -> FloatArray:
    """Return the factors ``(P, K, K)`` of the inverse covariances from residuals ``(P, N, K)``.

    The covariance of each position is shrunk halfway to the shared one, the mean over all positions.
    """
    positions, images, size = residuals.shape
    shared = np.zeros((size, size))
    for part in _parts(positions):
        flat = residuals[part].reshape(-1, size).astype(np.float64)
        shared += flat.T @ flat
    # Bessel's correction: the means are estimated from the same images.
    degrees = max(images - 1, 1)
    shared /= positions * degrees
    factors = np.empty((positions, size, size), np.float32)
    for part in _parts(positions):
        check()
        own = np.matmul(residuals[part].transpose(0, 2, 1), residuals[part]).astype(np.float64) / degrees
        covariance = (1 - SHRINKAGE) * own + SHRINKAGE * shared + RIDGE * np.eye(size)
        # With Σ = L·Lᵀ the squared distance is |L⁻¹·x|².
        factors[part] = np.linalg.inv(np.linalg.cholesky(covariance)).transpose(0, 2, 1)
    return factors


def _parts(positions: int) -> Sequence[slice]:
    return [slice(start, start + _POSITIONS_AT_ONCE) for start in range(0, positions, _POSITIONS_AT_ONCE)]
