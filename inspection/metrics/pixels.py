"""How well heatmaps put defective pixels above good ones, over many images, without keeping them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.opencv import cv2
from inspection.metrics.areas import Floats, area_under_roc, area_up_to, region_overlap_curve
from inspection.metrics.ranking import Curve

# Positive float32 compare like their bit patterns. The upper 19 bits keep differences of 0.05 % apart: enough for the
# figures. 15 bits (0.8 %) are enough for how much they vary from one choice of images to the next, and small enough to
# be kept for every image.
_FINE_SHIFT = 12
_FINE_BINS = 1 << (31 - _FINE_SHIFT)
_COARSE_SHIFT = 16
_FINE_PER_COARSE = 1 << (_COARSE_SHIFT - _FINE_SHIFT)
PRO_LIMIT = 0.3
"""Bergmann et al. integrate up to this false-positive rate: beyond it a map marks so much that it helps nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageCounts:
    """The pixels of one image, counted per coarse value; only values that occur.

    Attributes:
        values: uint16 numbers of the values, ascending.
        good: uint32 defect-free pixels per value.
        defect: uint32 defective pixels.
        overlap: float32 sums of 1 / area of the region a defective pixel belongs to.
        defective: whether the image has a mask.
    """

    values: NDArray[np.uint16]
    good: NDArray[np.uint32]
    defect: NDArray[np.uint32]
    overlap: NDArray[np.float32]
    defective: bool


class PixelScores:
    """Pixel AUROC and AUPRO over the pixels of many images.

    Values are counted in bins of 0.05 % relative width; within a bin they count as ties. Memory is 12 MB and some
    kilobytes an image, whatever their size.

    Attributes:
        images: counts of each image, in the order they were added.
        regions: connected defective regions so far.
    """

    def __init__(self) -> None:
        self._good = np.zeros(_FINE_BINS, np.float64)
        self._defect = np.zeros(_FINE_BINS, np.float64)
        self._overlap = np.zeros(_FINE_BINS, np.float64)
        self.images: list[ImageCounts] = []
        self.regions = 0

    def add(self, heatmap: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> None:
        """Count the pixels of one image.

        Args:
            heatmap: float32 ``(H, W)``, not negative.
            mask: ``(H, W)``, True where the defect is; None for a good image.
        """
        bits = np.ascontiguousarray(np.maximum(heatmap, 0.0), np.float32).view(np.uint32) >> _FINE_SHIFT
        # Only the part of the bins that this image uses is touched, from one coarse bin's edge to another's.
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
        """Return the area under the ROC curve of pixels, 0 to 1; None without good or without defective ones."""
        if not self._both():
            return None
        return float(area_under_roc(self._good, self._defect))

    def aupro(self, limit: float = PRO_LIMIT) -> float | None:
        """Return the area under the per-region-overlap curve up to a false-positive rate, 0 to 1; None as ``auroc``.

        For each threshold the overlap of the marked area with every connected defective region (8-connected, each
        region counting the same whatever its size), averaged over all regions of all images, against the share of
        defect-free pixels marked; integrated to ``limit`` and divided by it (Bergmann et al. 2021, "The MVTec Anomaly
        Detection Dataset", International Journal of Computer Vision 129).
        """
        if not self._both():
            return None
        curve = self.pro_curve()
        return area_up_to(curve.across, curve.up, limit)

    def pro_curve(self) -> Curve:
        """Return the share of defect-free pixels marked and the mean overlap of regions; needs both kinds of pixels."""
        return Curve(*region_overlap_curve(*self._used(self._good, self._overlap)))

    def roc_curve(self) -> Curve:
        """Return the share of defect-free pixels marked and that of defective ones; needs both kinds of pixels."""
        # The same sums as for regions, each defective pixel counting the same.
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
