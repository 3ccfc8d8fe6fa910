"""PatchCore: the distance of a patch to the nearest of the patches of good images (Roth et al. 2022).

Own and small: standardised features on their principal axes, whitened where parts are all alike, a capped memory
bank chosen by the greedy k-center method, one nearest neighbour. No random projection of the features that are
compared, only of those that choose the bank.

Good parts vary more in some places than in others: a stripe left by grinding differs from every other stripe, plain
ground hardly at all. So each patch of the bank is granted the variation that good images show around it: what counts is
``min_b (|x - b|² - GRANTED · r_b²)``, with ``r_b`` the mean distance of ``b`` to its nearest patches of other images (a
power distance, Aurenhammer 1987; the idea of weighing by local density is that of the local outlier factor, Breunig et
al. 2000). It costs nothing when scoring, because it goes into the constant that the search adds for each patch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

DIMENSIONS = 256
AXES = 160
# Castings and drawn parts, all alike, have a variety of 0.25 to 0.32; ground surfaces, each of its own, 0.45 to 0.59.
ALIKE, VARIED = 0.35, 0.45
SHRINKAGE = 0.1
GRANTED = 0.5
_NEIGHBOURS = 5
_NEIGHBOURHOOD = 10_000
_SELECTION_DIMENSIONS = 64
_VARIETY_PATCHES = 6_000
_VARIETY_QUERIES = 1_500
_POOL = 256
_CHUNK = 8192
_BANK_CHUNK = 500
_LEAST_DEVIATION = 1e-6
BLUR = np.array([1.0, 2.0, 1.0], np.float32) / 4


@dataclass(frozen=True, slots=True, eq=False)
class PatchCore:
    """A fitted model.

    Attributes:
        projection: float32 ``(D, K)``; projected = features @ projection + offset.
        offset: float32 ``(K,)``.
        bank: float32 ``(N, K)``, projected.
        penalties: float32 ``(N,)``, added to the squared distance to each patch of the bank: high for one around which
            good images vary little, low, even below nought, for one around which they vary much.
    """

    projection: FloatArray
    offset: FloatArray
    bank: FloatArray
    penalties: FloatArray

    def constants(self) -> FloatArray:
        """Return what the search adds for each patch of the bank to ``|x|² - 2 x·b``, float32 ``(N,)``."""
        norms = np.einsum("ij,ij->i", self.bank.astype(np.float64), self.bank)
        constants: FloatArray = (norms + self.penalties).astype(np.float32)
        return constants

    def distances(self, features: FloatArray) -> FloatArray:
        """Return the distance of each feature ``(n, D)`` to the bank, float32 ``(n,)``, never below nought.

        The root of the smallest of ``|x - b|² + penalty`` over the bank.
        """
        projected = features @ self.projection + self.offset
        norms = self.constants()
        found = np.empty(len(projected), np.float32)
        for start in range(0, len(projected), _CHUNK):
            part = projected[start : start + _CHUNK]
            nearest = (norms[None] - 2.0 * part @ self.bank.T).min(axis=1)
            found[start : start + _CHUNK] = nearest + np.einsum("ij,ij->i", part, part)
        distances: FloatArray = np.sqrt(np.maximum(found, 0.0))
        return distances

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the lightly blurred distance map of one image's features, float32 ``shape``."""
        return blurred(self.distances(features).reshape(shape))


def blurred(values: FloatArray) -> FloatArray:
    """Return ``values`` ``(h, w)`` averaged with weights 1-2-1 both ways; the edge continues outwards."""
    padded = np.pad(values, 1, mode="edge")
    rows = BLUR[0] * padded[:-2] + BLUR[1] * padded[1:-1] + BLUR[2] * padded[2:]
    both: FloatArray = BLUR[0] * rows[:, :-2] + BLUR[1] * rows[:, 1:-1] + BLUR[2] * rows[:, 2:]
    return both


def fit(
    features: FloatArray,
    bank_size: int,
    seed: int,
    check: Callable[[], None] = lambda: None,
    images: NDArray[np.int64] | None = None,
) -> PatchCore:
    """Fit on the patches of good images.

    Args:
        features: float32 ``(n, D)``, in an order that does not depend on chance.
        bank_size: most patches to keep.
        seed: of the projection and of the first patch.
        check: called now and then; what it raises ends the fit.
        images: of which image each feature is, ``(n,)``; None when each is of an image of its own.

    Raises:
        ValueError: when there are no features.
    """
    if len(features) == 0:
        raise ValueError("no features to fit on")
    owners = np.arange(len(features)) if images is None else images
    projection, offset = principal_axes(features, owners, seed)
    projected = features @ projection + offset
    check()
    generator = np.random.default_rng(seed)
    selection = projected
    if projected.shape[1] > _SELECTION_DIMENSIONS:
        # Distances survive a random projection well enough to choose by (Johnson and Lindenstrauss 1984).
        basis = generator.standard_normal((projected.shape[1], _SELECTION_DIMENSIONS), dtype=np.float32)
        selection = projected @ (basis / np.float32(np.sqrt(_SELECTION_DIMENSIONS)))
    first = int(generator.integers(len(projected)))
    chosen = greedy_centers(selection, bank_size, first, check)
    others = np.sort(generator.permutation(len(projected))[:_NEIGHBOURHOOD])
    bank = np.ascontiguousarray(projected[chosen])
    radii = surroundings(bank, owners[chosen], projected[others], owners[others], check)
    return PatchCore(projection, offset, bank, penalties_of(radii))


def surroundings(
    bank: FloatArray,
    owners: NDArray[np.int64],
    patches: FloatArray,
    images: NDArray[np.int64],
    check: Callable[[], None] = lambda: None,
) -> FloatArray:
    """Return how far the nearest patches of other images lie from each patch of the bank, on average.

    Args:
        bank: float32 ``(N, K)``.
        owners: ``(N,)``, of which image each is.
        patches: float32 ``(n, K)``, a sample of the patches of good images.
        images: ``(n,)``, of which image each is.
        check: called now and then; what it raises ends the computation.

    Returns:
        float32 ``(N,)``: mean distance to the nearest few; nought where there is no other image.
    """
    norms = np.einsum("ij,ij->i", patches, patches)
    radii = np.zeros(len(bank), np.float32)
    few = min(_NEIGHBOURS, len(patches))
    for start in range(0, len(bank), _BANK_CHUNK):
        check()
        part = slice(start, start + _BANK_CHUNK)
        squares = norms[None] - 2.0 * bank[part] @ patches.T + np.einsum("ij,ij->i", bank[part], bank[part])[:, None]
        squares[owners[part, None] == images[None]] = np.inf
        nearest = np.partition(squares, few - 1, axis=1)[:, :few]
        known = np.isfinite(nearest)
        distances = np.sqrt(np.maximum(np.where(known, nearest, 0.0), 0.0))
        radii[part] = distances.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return radii


def penalties_of(radii: FloatArray) -> FloatArray:
    """Return what each patch of the bank adds to a squared distance, from the variation around it.

    The constant that is common to all only sets where nought lies: a patch in the bank itself, of usual variation,
    keeps a distance of ``√GRANTED · r``.
    """
    usual = 2.0 * float(np.median(radii)) ** 2
    return (GRANTED * (usual - radii.astype(np.float64) ** 2)).astype(np.float32)


def principal_axes(features: FloatArray, images: NDArray[np.int64], seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Return projection ``(D, K)`` and offset ``(K,)`` to the ``AXES`` strongest axes, whitened as far as is good.

    Fewer axes than features hardly change a distance and make the search as much faster. An axis of variance ``v`` is
    divided by ``v`` to the power of half of ``evening_for`` the variety of the images.

    Args:
        features: float32 ``(n, D)``.
        images: of which image each is, ``(n,)``.
        seed: of the sample that shows the variety.
    """
    axes = _Axes.of(features, AXES)
    projection, offset = axes.projection(0.0)
    sample = np.random.default_rng(seed).permutation(len(features))[:_VARIETY_PATCHES]
    return axes.projection(evening_for(variety(features[sample] @ projection + offset, images[sample])))


def variety(patches: FloatArray, images: NDArray[np.int64]) -> float:
    """Return how far the patches of one image lie from those of others, between 0 (all images alike) and about 1.

    The median, over the first ``_VARIETY_QUERIES`` patches, of the distance to the nearest patch of another image,
    divided by the median distance to those patches.

    Args:
        patches: float32 ``(n, K)``, a sample in an order by chance.
        images: of which image each is, ``(n,)``.

    Returns:
        0 when all are of one image.
    """
    some = patches[:_VARIETY_QUERIES]
    norms = np.einsum("ij,ij->i", patches, patches)
    squares = norms[: len(some), None] + norms[None] - 2.0 * some @ patches.T
    elsewhere = images[: len(some), None] != images[None]
    some_elsewhere = elsewhere.any(axis=1)
    if not some_elsewhere.any():
        return 0.0
    distances = np.sqrt(np.maximum(np.where(elsewhere, squares, np.nan)[some_elsewhere], 0.0))
    usual = np.maximum(np.nanmedian(distances, axis=1), _LEAST_DEVIATION)
    return float(np.median(np.nanmin(distances, axis=1) / usual))


def evening_for(variety: float) -> float:
    """Return how far the axes are evened: 1, which whitens, where parts are all alike; 0 where each is of its own.

    Evening brings out the small differences between parts that are all alike; where every part has a
    surface of its own it drowns small dark spots in the grain.
    """
    return min(1.0, max(0.0, (VARIED - variety) / (VARIED - ALIKE)))


def whitening(features: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return projection ``(D, K)`` and offset ``(K,)`` that standardise and whiten ``features`` ``(n, D)``.

    The ``DIMENSIONS`` strongest directions are kept.
    """
    return _Axes.of(features, DIMENSIONS).projection(1.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Axes:
    """The strongest axes of standardised features.

    Attributes:
        mean: ``(D,)`` of the features.
        deviation: ``(D,)``.
        variances: ``(K,)`` along the axes, strongest first.
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
        directions with hardly any variance are not blown up.
        """
        mean = features.mean(axis=0, dtype=np.float64)
        deviation = features.std(axis=0, dtype=np.float64) + _LEAST_DEVIATION
        standard = ((features - mean.astype(np.float32)) / deviation.astype(np.float32)).astype(np.float32)
        covariance = (standard.T @ standard).astype(np.float64) / len(features)
        size = len(covariance)
        covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / size * np.eye(size)
        values, vectors = np.linalg.eigh(covariance)
        order = np.argsort(-values, kind="stable")[:count]
        return cls(mean, deviation, np.maximum(values[order], _LEAST_DEVIATION), vectors[:, order])

    def projection(self, evening: float) -> tuple[FloatArray, FloatArray]:
        """Return projection ``(D, K)`` and offset ``(K,)``; axes are divided by their variance to ``evening`` / 2."""
        projection = self.vectors / self.variances ** (evening / 2) / self.deviation[:, None]
        return projection.astype(np.float32), (-self.mean @ projection).astype(np.float32)


def greedy_centers(
    points: FloatArray, count: int, first: int, check: Callable[[], None] = lambda: None
) -> NDArray[np.int64]:
    """Choose ``count`` points, each the one farthest from those before (Gonzalez 1985).

    The result is that of the plain method, found faster: distances to the chosen points only ever shrink, so within the
    ``_POOL`` farthest points of a round the choice is final as long as the best of them is at least as far as the best
    outside was. Only then are the distances of all points brought up to date, with one matrix product for the round.

    Args:
        points: float32 ``(n, d)``.
        count: most points to choose; fewer are chosen when all others coincide with a chosen one.
        first: index to begin with.
        check: called every round; what it raises ends the choice.

    Returns:
        indices in the order they were chosen.
    """
    total = len(points)
    norms = np.einsum("ij,ij->i", points, points)
    chosen = [first]
    farness = np.maximum(norms + norms[first] - 2.0 * points @ points[first], 0.0)
    farness[first] = -1.0
    while len(chosen) < min(count, total):
        check()
        pool = np.argsort(-farness, kind="stable")[: _POOL + 1] if total <= _POOL else _farthest(farness)
        bound = farness[pool[-1]] if total > len(pool) else -1.0
        inside = pool[:-1] if total > len(pool) else pool
        near = points[inside]
        between = np.maximum(norms[inside][:, None] + norms[inside][None] - 2.0 * near @ near.T, 0.0)
        left = farness[inside].copy()
        taken: list[int] = []
        while len(chosen) + len(taken) < count:
            best = int(left.argmax())
            if left[best] <= 0.0 or left[best] < bound:
                break
            taken.append(best)
            np.minimum(left, between[best], out=left)
            left[best] = -1.0
        if not taken:
            break
        fresh = inside[taken]
        chosen.extend(int(index) for index in fresh)
        for start in range(0, total, _CHUNK):
            part = slice(start, start + _CHUNK)
            nearest = (norms[fresh][None] - 2.0 * points[part] @ points[fresh].T).min(axis=1) + norms[part]
            np.minimum(farness[part], np.maximum(nearest, 0.0), out=farness[part])
        farness[np.array(chosen)] = -1.0
    return np.array(chosen, np.int64)


def _farthest(farness: FloatArray) -> NDArray[np.int64]:
    """Return the indices of the ``_POOL`` + 1 largest values, largest first, equal ones by index."""
    candidates = np.argpartition(-farness, _POOL)[: _POOL + 1]
    order = np.lexsort((candidates, -farness[candidates]))
    return candidates[order].astype(np.int64)
