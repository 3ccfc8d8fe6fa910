"""Pixel-level ranking metrics of heatmaps over many images, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.opencv import cv2
from inspection.metrics.areas import Floats, area_under_roc, area_up_to, region_overlap_curve
from inspection.metrics.ranking import Curve

# Positive float32 values compare like their bit patterns. The upper 19 bits resolve differences of 0.05 %, enough for
# the metrics. 15 bits (0.8 %) are enough for their confidence intervals and small enough to store per image.
_FINE_SHIFT = 12
_FINE_BINS = 1 << (31 - _FINE_SHIFT)
_COARSE_SHIFT = 16
_FINE_PER_COARSE = 1 << (_COARSE_SHIFT - _FINE_SHIFT)
PRO_LIMIT = 0.3
"""Upper false-positive rate of AUPRO (Bergmann et al. 2021); maps beyond it mark too much to be useful."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageCounts:
    """The pixels of one image, counted per coarse bin; only nonempty bins.

    Attributes:
        values: uint16 bin numbers, ascending.
        good: uint32 defect-free pixels per bin.
        defect: uint32 defective pixels per bin.
        overlap: float32 sums of 1 / region area over the defective pixels of each bin.
        defective: whether the image has a mask.
    """

    values: NDArray[np.uint16]
    good: NDArray[np.uint32]
    defect: NDArray[np.uint32]
    overlap: NDArray[np.float32]
    defective: bool


class PixelScores:
    """Pixel AUROC and AUPRO over the pixels of many images.

    Values are counted in bins of 0.05 % relative width; within a bin they count as ties. Memory is 12 MB plus a few
    kilobytes per image, independent of the image size.

    Attributes:
        images: counts of each image, in the order of addition.
        regions: number of connected defective regions so far.
    """

    def __init__(self) -> None:
        self._good = np.zeros(_FINE_BINS, np.float64)
        self._defect = np.zeros(_FINE_BINS, np.float64)
        self._overlap = np.zeros(_FINE_BINS, np.float64)
        self.images: list[ImageCounts] = []
        self.regions = 0

    def add(self, heatmap: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> None:
        """Add the pixels of one image.

        Args:
            heatmap: float32 ``(H, W)``, nonnegative.
            mask: bool ``(H, W)``, True on defects; None for a good image.
        """
        bits = np.ascontiguousarray(np.maximum(heatmap, 0.0), np.float32).view(np.uint32) >> _FINE_SHIFT
        # Only the range of bins used by this image is updated, aligned to coarse bins.
        first = int(bits.min()) // _FINE_PER_COARSE * _FINE_PER_COARSE
        length = (int(bits.max()) - first) // _FINE_PER_COARSE * _FINE_PER_COARSE + _FINE_PER_COARSE
        bins = (bits - np.uint32(first)).astype(np.int64)
        part = slice(first, first + length)
        clean = np.ones(bins.shape, bool) if mask is None else ~mask
        good, defect, overlap = _counted(bins[clean], length), np.zeros(length), np.zeros(length)
        if mask is not None:
            regions, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
            self.regions += regions - 1
            shares = 1.0 / np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
            defect, overlap = _counted(bins[mask], length), _counted(bins[mask], length, shares[labels[mask]])
        for whole, counts in ((self._good, good), (self._defect, defect), (self._overlap, overlap)):
            whole[part] += counts
        self.images.append(_coarse(first, good, defect, overlap, defective=mask is not None))

    def auroc(self) -> float | None:
        """Return the area under the ROC curve of pixels, 0 to 1; None unless there are good and defective pixels."""
        if not self._both():
            return None
        return float(area_under_roc(self._good, self._defect))

    def aupro(self, limit: float = PRO_LIMIT) -> float | None:
        """Return the area under the per-region-overlap curve up to a false-positive rate, 0 to 1; None as ``auroc``.

        The mean overlap of the marked area with the 8-connected defective regions of all images, equally weighted,
        against the false-positive rate of pixels; integrated to ``limit`` and divided by it (Bergmann et al. 2021, "The
        MVTec Anomaly Detection Dataset", International Journal of Computer Vision 129).
        """
        if not self._both():
            return None
        curve = self.pro_curve()
        return area_up_to(curve.across, curve.up, limit)

    def pro_curve(self) -> Curve:
        """Return false-positive rate and mean region overlap; requires good and defective pixels."""
        return Curve(*region_overlap_curve(*self._used(self._good, self._overlap)))

    def roc_curve(self) -> Curve:
        """Return false-positive and true-positive rate of pixels; requires good and defective pixels."""
        # The same sums as for regions, with equal weights of all defective pixels.
        return Curve(*region_overlap_curve(*self._used(self._good, self._defect)))

    def _both(self) -> bool:
        return bool(self._good.any() and self._defect.any())

    @staticmethod
    def _used(good: Floats, defect: Floats) -> tuple[Floats, Floats]:
        used = (good > 0) | (defect > 0)
        return good[used], defect[used]


def _counted(bins: NDArray[np.int64], length: int, weights: Floats | None = None) -> Floats:
    counts: Floats = np.bincount(bins, weights, minlength=length).astype(np.float64, copy=False)
    return counts


def _coarse(first: int, good: Floats, defect: Floats, overlap: Floats, *, defective: bool) -> ImageCounts:
    sums = [counts.reshape(-1, _FINE_PER_COARSE).sum(axis=1) for counts in (good, defect, overlap)]
    used = np.flatnonzero(sums[0] + sums[1])
    return ImageCounts(
        (used + first // _FINE_PER_COARSE).astype(np.uint16),
        sums[0][used].astype(np.uint32),
        sums[1][used].astype(np.uint32),
        sums[2][used].astype(np.float32),
        defective,
    )
