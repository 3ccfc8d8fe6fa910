"""Local scale of the memory bank: mean k-nearest-neighbour distance of a patch to patches of other images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.arrays import FloatArray

LOCAL_SCALE_WEIGHT = 0.5
_NEIGHBOURS = 5
_BANK_CHUNK = 500


def knn_radius(
    bank: FloatArray,
    bank_images: NDArray[np.int64],
    patches: FloatArray,
    patch_images: NDArray[np.int64],
    check: Callable[[], None] = lambda: None,
) -> FloatArray:
    """Return the mean distance from each bank patch to its nearest patches of other images.

    Args:
        bank: float32 ``(N, K)``.
        bank_images: ``(N,)``, index of the image of each bank patch.
        patches: float32 ``(n, K)``, a sample of the patches of good images.
        patch_images: ``(n,)``, index of the image of each.
        check: called regularly; an exception it raises aborts the computation.

    Returns:
        float32 ``(N,)``: mean distance to the ``_NEIGHBOURS`` nearest; 0 without patches of other images.
    """
    norms = np.einsum("ij,ij->i", patches, patches)
    radius = np.zeros(len(bank), np.float32)
    neighbours = min(_NEIGHBOURS, len(patches))
    for start in range(0, len(bank), _BANK_CHUNK):
        check()
        part = slice(start, start + _BANK_CHUNK)
        squares = norms[None] - 2.0 * bank[part] @ patches.T + np.einsum("ij,ij->i", bank[part], bank[part])[:, None]
        squares[bank_images[part, None] == patch_images[None]] = np.inf
        nearest = np.partition(squares, neighbours - 1, axis=1)[:, :neighbours]
        known = np.isfinite(nearest)
        distances = np.sqrt(np.maximum(np.where(known, nearest, 0.0), 0.0))
        radius[part] = distances.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return radius


def distance_offsets(radius: FloatArray) -> FloatArray:
    """Return what each bank patch adds to a squared distance: ``w · (2·median(r)² − r_b²)``, float32 ``(N,)``.

    The term common to all patches only sets the zero of the scores: a patch of the bank itself, with the median radius,
    scores ``√w · r``.

    Args:
        radius: of ``knn_radius``.
    """
    common = 2.0 * float(np.median(radius)) ** 2
    return (LOCAL_SCALE_WEIGHT * (common - radius.astype(np.float64) ** 2)).astype(np.float32)
