"""Groups of near-duplicate training images: frames of one video, several photographs of one part.

A near duplicate of a held-out image in the fit makes its score too low. Cross-validation therefore holds out whole
groups (grouped k-fold cross-validation), and the threshold counts groups instead of images.

An image is described by its patch features, averaged over a coarse grid, projected as the model projects them. Two
images are linked when their deviations from the mean image, each of unit length, lie nearer to each other than to that
mean: a correlation above one half. Independent images correlate by about 0, whatever the set; two kinds of one product
are not linked as long as images of one kind differ as much as the kinds do. Groups are the connected components of the
links (single linkage).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.methods.whitening import principal_axes
from inspection.runtime.arrays import FloatArray

LEAST_GROUPS = 10
"""With fewer groups one of them is more than a tenth of what varies, the share that ten folds hold out: a model fitted
without it says little about the final one. They may as well be kinds of one product."""
LARGEST_SHARE = 0.5
"""Of the images in one group; without a larger one too few would be left to fit on."""
LINKED = 0.5
"""Correlation at which two unit vectors are as far from each other as from the mean."""
# Cells of the coarse grid along each side.
_CELLS = 4
COARSE_CELLS = _CELLS**2
"""Rows of ``coarse_means``."""
# Rows of the correlation matrix that are computed at a time.
_ROWS = 256
_MOST_PATCHES = 50_000
_TINY = 1e-12


class DescribedImages(Protocol):
    """Training images with patch features and descriptors."""

    def samples(self, index: int) -> FloatArray:
        """Return patches of an image, float32 ``(n, D)``."""
        ...

    def descriptor(self, index: int) -> FloatArray:
        """Return ``coarse_means`` of an image."""
        ...


def coarse_means(grid: FloatArray) -> FloatArray:
    """Return the mean features of a patch grid ``(h, w, D)`` over 4 × 4 cells, float32 ``(16, D)``."""
    height, width, dimensions = grid.shape
    rows, columns = (np.arange(_CELLS) * side // _CELLS for side in (height, width))
    counts = [np.maximum(np.diff(np.append(starts, side)), 1) for starts, side in ((rows, height), (columns, width))]
    sums = np.add.reduceat(np.add.reduceat(grid, rows, axis=0), columns, axis=1)
    means = sums / np.multiply.outer(*counts)[..., None]
    return means.reshape(-1, dimensions).astype(np.float32)


def near_duplicate_groups(
    images: DescribedImages, indices: NDArray[np.int64], whitening: float, check: Callable[[], None]
) -> NDArray[np.int64]:
    """Return the group of each image, numbered from 0 in the order of their first images.

    Args:
        images: patch features and descriptors.
        indices: of the images.
        whitening: see ``Configuration``.
        check: called often; may raise to stop.
    """
    return linked_groups(image_descriptors(images, indices, whitening), check=check)


def image_descriptors(images: DescribedImages, indices: NDArray[np.int64], whitening: float) -> FloatArray:
    """Return the coarse means of images along the principal axes of their patches, float32, one row an image.

    Args:
        images: patch features and descriptors.
        indices: of the images.
        whitening: see ``Configuration``.
    """
    share = max(1, _MOST_PATCHES // len(indices))
    numbers: list[int] = indices.tolist()
    patches = [images.samples(index) for index in numbers]
    projection, _ = principal_axes(np.concatenate([some[:: -(-len(some) // share)] for some in patches]), whitening)
    return np.stack([(images.descriptor(index) @ projection).ravel() for index in numbers])


def linked_groups(
    descriptors: FloatArray, linked: float = LINKED, check: Callable[[], None] = lambda: None
) -> NDArray[np.int64]:
    """Return the group of each descriptor ``(n, D)``: those linked directly or through others are in one.

    The time grows with the square of n, the memory with n.

    Args:
        descriptors: float32, one row an image.
        linked: correlation above which two images are linked.
        check: called every ``_ROWS`` images; may raise to stop.

    Returns:
        ``(n,)``, numbered from 0 in the order of their first rows.
    """
    unit = descriptors - descriptors.mean(axis=0)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), _TINY)
    # A group is known by its first row until all are found.
    first = np.arange(len(unit), dtype=np.int64)
    for start in range(0, len(unit), _ROWS):
        check()
        stop = min(start + _ROWS, len(unit))
        for row, links in enumerate(unit[start:stop] @ unit[:stop].T > linked, start):
            joined = np.zeros(stop, np.bool_)
            joined[first[:stop][links]] = joined[first[row]] = True
            first[:stop][joined[first[:stop]]] = joined.argmax()
    return np.unique(first, return_inverse=True)[1].astype(np.int64)


def held_out_groups(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the groups that are held out as a whole.

    These are ``groups``, or each image alone where there are fewer than ``LEAST_GROUPS`` or one of them has more than
    ``LARGEST_SHARE`` of the images.
    """
    largest = int(np.bincount(groups).max())
    whole = group_count(groups) >= LEAST_GROUPS and largest <= LARGEST_SHARE * len(groups)
    return groups if whole else np.arange(len(groups), dtype=np.int64)


def group_count(groups: NDArray[np.int64]) -> int:
    """Return the number of groups, numbered from 0."""
    return int(groups.max()) + 1


def grouped_folds(groups: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each image; all images of a group are in one.

    Groups go in descending size, in random order among equal sizes, to the fold with the fewest images.

    Args:
        groups: ``(n,)``, numbered from 0.
        folds: most folds; no more than groups are used.
        seed: of the random order.
    """
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    loads = np.zeros(min(folds, len(sizes)), np.int64)
    fold_of = np.empty(len(sizes), np.int64)
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        fold_of[group] = loads.argmin()
        loads[fold_of[group]] += sizes[group]
    return fold_of[groups]
