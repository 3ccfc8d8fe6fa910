"""PatchCore: distance of a patch to its nearest neighbour in a memory bank of good patches (Roth et al. 2022).

A compact variant: standardised features on their principal axes, whitened; a capped memory bank selected by greedy
k-center; one nearest neighbour. Random projection is used for the selection only, never for the features that are
compared.

Distances are reduced where good images vary (a grinding stripe differs from every other stripe, a plain surface hardly
at all): ``score = min_b(‖x − b‖² − w·r_b²)`` with ``w = LOCAL_SCALE_WEIGHT`` and ``r_b`` the ``knn_radius`` of ``b`` in
other images. This is a power distance (Aurenhammer 1987); weighting by local density follows the local outlier factor
(Breunig et al. 2000). The reduction is precomputed into the constant of each bank patch, so it is free at inference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.methods.coreset import greedy_k_center
from inspection.anomaly.methods.local_scale import distance_offsets, knn_radius
from inspection.anomaly.methods.map_smoothing import smooth_map
from inspection.anomaly.methods.whitening import principal_axes
from inspection.runtime.arrays import FloatArray

_NEIGHBOUR_SAMPLE = 10_000
_SELECTION_DIMENSIONS = 64
_CHUNK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class PatchCore:
    """A fitted PatchCore.

    Attributes:
        projection: float32 ``(D, K)``; projected = features @ projection + offset.
        offset: float32 ``(K,)``.
        bank: float32 ``(N, K)``, the projected memory bank.
        distance_offsets: float32 ``(N,)``, added to the squared distance to each bank patch: high where good images
            vary little around it, low, even negative, where they vary much.
    """

    projection: FloatArray
    offset: FloatArray
    bank: FloatArray
    distance_offsets: FloatArray

    def constants(self) -> FloatArray:
        """Return the term of each bank patch beside ``|x|² - 2 x·b``: ``|b|²`` plus its offset, float32 ``(N,)``."""
        norms = np.einsum("ij,ij->i", self.bank.astype(np.float64), self.bank)
        constants: FloatArray = (norms + self.distance_offsets).astype(np.float32)
        return constants

    def distances(self, features: FloatArray) -> FloatArray:
        """Return the distance of each feature ``(n, D)`` to the memory bank, float32 ``(n,)``, at least 0.

        The root of the minimum of ``|x - b|² + distance_offset`` over the bank.
        """
        projected = features @ self.projection + self.offset
        constants = self.constants()
        squares = np.empty(len(projected), np.float32)
        for start in range(0, len(projected), _CHUNK):
            part = projected[start : start + _CHUNK]
            nearest = (constants[None] - 2.0 * part @ self.bank.T).min(axis=1)
            squares[start : start + _CHUNK] = nearest + np.einsum("ij,ij->i", part, part)
        distances: FloatArray = np.sqrt(np.maximum(squares, 0.0))
        return distances

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the smoothed anomaly map of an image, float32 ``shape``, from its features ``(h·w, D)``."""
        return smooth_map(self.distances(features).reshape(shape))


def fit(
    features: FloatArray,
    bank_size: int,
    seed: int,
    check: Callable[[], None] = lambda: None,
    images: NDArray[np.int64] | None = None,
    *,
    whitening: float = 1.0,
) -> PatchCore:
    """Fit on the patches of good images.

    Args:
        features: float32 ``(n, D)``, in a reproducible order.
        bank_size: maximum number of patches in the memory bank.
        seed: of the random projection and of the first center.
        check: called regularly; an exception it raises aborts the fit.
        images: ``(n,)``, index of the image of each feature; None when each has its own image.
        whitening: see ``Configuration``.

    Raises:
        ValueError: when there are no features.
    """
    if len(features) == 0:
        raise ValueError("no features to fit on")
    image_of = np.arange(len(features)) if images is None else images
    projection, offset = principal_axes(features, whitening)
    projected = features @ projection + offset
    check()
    generator = np.random.default_rng(seed)
    selection = projected
    if projected.shape[1] > _SELECTION_DIMENSIONS:
        # A random projection preserves distances well enough for the selection (Johnson and Lindenstrauss 1984).
        basis = generator.standard_normal((projected.shape[1], _SELECTION_DIMENSIONS), dtype=np.float32)
        selection = projected @ (basis / np.float32(np.sqrt(_SELECTION_DIMENSIONS)))
    first = int(generator.integers(len(projected)))
    selected = greedy_k_center(selection, bank_size, first, check)
    sample = np.sort(generator.permutation(len(projected))[:_NEIGHBOUR_SAMPLE])
    bank = np.ascontiguousarray(projected[selected])
    radius = knn_radius(bank, image_of[selected], projected[sample], image_of[sample], check)
    return PatchCore(projection, offset, bank, distance_offsets(radius))
