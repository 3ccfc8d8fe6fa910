"""95 % confidence intervals of metrics over the sampling of images."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from inspection.metrics.areas import (
    Floats,
    area_under_roc,
    area_up_to,
    average_precision_of,
    region_overlap_curve,
)
from inspection.metrics.pixels import PRO_LIMIT, ImageCounts
from inspection.metrics.ranking import ScoreCounts

COVERAGE = 0.95
REPLICATES = 2000
PIXEL_REPLICATES = 300
# Values per chunk: 64 MB.
_AT_ONCE = 8_000_000


class Interval(NamedTuple):
    """Lower and upper bound."""

    low: float
    high: float


def wilson_interval(count: int, total: int) -> Interval | None:
    """Return the 95 % interval of a proportion; None when ``total`` is 0.

    Wilson 1927: unlike a bootstrap, its width is not 0 when none or all of a few images are wrong.
    """
    if not total:
        return None
    z = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    share = count / total
    middle = share + z * z / (2 * total)
    half = z * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5
    whole = 1 + z * z / total
    low = 0.0 if count == 0 else max(0.0, (middle - half) / whole)
    return Interval(low, 1.0 if count == total else min(1.0, (middle + half) / whole))


def image_intervals(
    counts: ScoreCounts, threshold: float, *, replicates: int = REPLICATES, seed: int = 0
) -> dict[str, Interval]:
    """Return 95 % intervals of image-level metrics.

    Percentile bootstrap (Efron 1979), stratified: good and defective images are resampled separately.

    Args:
        counts: scores of good and defective images.
        threshold: a score strictly above it is NG.
        replicates: number of bootstrap samples.
        seed: of the resampling.

    Returns:
        ``image_auroc``, ``average_precision``, ``f1``; empty when there is only one kind of images.
    """
    if not counts.both:
        return {}
    generator = np.random.default_rng(seed)
    above = counts.values > threshold
    samples: dict[str, list[Floats]] = {"image_auroc": [], "average_precision": [], "f1": []}
    chunk = max(1, _AT_ONCE // counts.values.size)
    for begin in range(0, replicates, chunk):
        size = min(chunk, replicates - begin)
        good = _resampled(generator, counts.good, size)
        defect = _resampled(generator, counts.defect, size)
        samples["image_auroc"].append(area_under_roc(good, defect))
        samples["average_precision"].append(average_precision_of(good, defect))
        found, overkill = defect[:, above].sum(axis=-1), good[:, above].sum(axis=-1)
        samples["f1"].append(2 * found / (found + overkill + counts.defect.sum()))
    return {name: _central_interval(np.concatenate(parts)) for name, parts in samples.items()}


def pixel_intervals(
    images: Sequence[ImageCounts], *, replicates: int = PIXEL_REPLICATES, seed: int = 0
) -> dict[str, Interval]:
    """Return 95 % intervals of pixel-level metrics by a bootstrap over whole images.

    Pixels of an image are not independent, so images are resampled, those with and those without a mask separately.

    Returns:
        ``pixel_auroc`` and ``aupro``; empty when there are only good or only defective pixels.
    """
    marked = np.array([image.defective for image in images], bool)
    if not marked.any():
        return {}
    values = np.unique(np.concatenate([image.values for image in images]))
    good, defect, overlap = (np.zeros((len(images), values.size), np.float32) for _ in range(3))
    for row, image in enumerate(images):
        columns = np.searchsorted(values, image.values)
        good[row, columns], defect[row, columns], overlap[row, columns] = image.good, image.defect, image.overlap
    if not good.any() or not defect.any():
        return {}
    generator = np.random.default_rng(seed)
    weights = np.zeros((replicates, len(images)), np.float32)
    for kind in (marked, ~marked):
        weights[:, kind] = _resampled(generator, kind[kind].astype(np.float64), replicates)
    goods, defects, overlaps = ((weights @ counts).astype(np.float64) for counts in (good, defect, overlap))
    areas = [area_up_to(*region_overlap_curve(goods[row], overlaps[row]), PRO_LIMIT) for row in range(replicates)]
    return {
        "pixel_auroc": _central_interval(area_under_roc(goods, defects)),
        "aupro": _central_interval(np.array(areas)),
    }


def _resampled(generator: np.random.Generator, counts: Floats, replicates: int) -> Floats:
    """Return the counts per value of bootstrap samples of the same size, ``(replicates, values)``."""
    total = int(counts.sum())
    if not total:
        return np.zeros((replicates, counts.size))
    return generator.multinomial(total, counts / total, size=replicates).astype(np.float64)


def _central_interval(values: Floats) -> Interval:
    low, high = np.quantile(values, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(low), float(high))
