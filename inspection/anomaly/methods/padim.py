"""PaDiM: how far a patch lies from what good images show in the same place (Defard et al. 2020).

Own form of it: features are standardised and whitened, and reduced by a random orthonormal projection (the paper picks
features at random; on held-back castings of the training set the projection was as good or better); each place has its
own mean, and a covariance shrunk halfway to the one all places share, as there are about as many images as dimensions.
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
# Keeps a direction without any variance from being divided by nothing (the paper's ε).
RIDGE = 0.01
_PLACES = 64


@dataclass(frozen=True, slots=True, eq=False)
class Padim:
    """A fitted model.

    Attributes:
        projection: float32 ``(D, K)``; reduced = features @ projection + offset.
        offset: float32 ``(K,)``.
        means: float32 ``(P, K)``, of each place of the grid, row by row.
        factors: float32 ``(P, K, K)``; ``|(x - mean) @ factor|`` is the Mahalanobis distance.
    """

    projection: FloatArray
    offset: FloatArray
    means: FloatArray
    factors: FloatArray

    def distances(self, features: FloatArray) -> FloatArray:
        """Return the Mahalanobis distance of the feature of each place, ``(P, D)`` to float32 ``(P,)``.

        Raises:
            ValueError: when there is another number of places.
        """
        if len(features) != len(self.means):
            raise ValueError(f"{len(features)} places where the model has {len(self.means)}")
        away = features @ self.projection + self.offset - self.means
        moved = np.matmul(away[:, None], self.factors)[:, 0]
        distances: FloatArray = np.sqrt(np.einsum("ij,ij->i", moved, moved))
        return distances

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the smoothed distance map of one image's features, float32 ``shape``."""
        return smooth_map(self.distances(features).reshape(shape))


def fit(
    samples: FloatArray,
    grids: Callable[[], Iterable[FloatArray]],
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> Padim:
    """Fit on the patches of aligned good images.

    Args:
        samples: float32 ``(n, D)``, patches of all images, to find the projection from.
        grids: gives the features of each image in their places, float32 ``(h, w, D)``, all of one shape.
        seed: of the projection.
        check: called now and then; what it raises ends the fit.

    Raises:
        ValueError: when there are no images or their grids differ.
    """
    projection, offset = _reduction(samples, seed)
    check()
    reduced = []
    for grid in grids():
        check()
        reduced.append(grid.reshape(-1, grid.shape[-1]) @ projection + offset)
    if not reduced or any(len(places) != len(reduced[0]) for places in reduced):
        raise ValueError("a place needs its patch of every image")
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

    The sum over places of all images gives the shared covariance; each place goes halfway there.
    """
    places, images, size = residuals.shape
    shared = np.zeros((size, size))
    for part in _parts(places):
        flat = residuals[part].reshape(-1, size).astype(np.float64)
        shared += flat.T @ flat
    # The means of the places are estimated from the same images.
    free = max(images - 1, 1)
    shared /= places * free
    factors = np.empty((places, size, size), np.float32)
    for part in _parts(places):
        check()
        own = np.matmul(residuals[part].transpose(0, 2, 1), residuals[part]).astype(np.float64) / free
        covariance = (1 - SHRINKAGE) * own + SHRINKAGE * shared + RIDGE * np.eye(size)
        # With Σ = L·Lᵀ the squared distance is |L⁻¹·x|².
        factors[part] = np.linalg.inv(np.linalg.cholesky(covariance)).transpose(0, 2, 1)
    return factors


def _parts(places: int) -> Sequence[slice]:
    return [slice(start, start + _PLACES) for start in range(0, places, _PLACES)]
