"""Connected regions of a heatmap above the threshold."""

from __future__ import annotations

import numpy as np

from inspection.imaging.opencv import cv2
from inspection.imaging.placement import FloatMap
from inspection.judging.judgement import ANOMALY_CLASS, verdict_confidence
from models.results import BoundingBox, Detection

MAX_REGIONS = 50
# Regions are drawn and compared with a minimum area; half a megapixel resolves more than the map contains.
_WORKING_SIDE = 768
# Resizing lowers the maximum of the map slightly below the score.
_PEAK_SHARE = 0.98


def anomalous_regions(heatmap: FloatMap, score: float, threshold: float) -> tuple[Detection, ...]:
    """Return the bounding boxes of connected regions above ``threshold``, by descending peak, at most ``MAX_REGIONS``.

    Args:
        heatmap: float32 ``(H, W)``.
        score: of the whole image; no region is returned unless it is above the threshold.
        threshold: in the unit of the heatmap.

    Returns:
        detections of class ``anomaly``, boxes in pixels of the heatmap, confidence from the peak of the region.
    """
    if score <= threshold:
        return ()
    height, width = heatmap.shape
    shrink = max(1.0, max(height, width) / _WORKING_SIDE)
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    small = cv2.resize(heatmap, size, interpolation=cv2.INTER_AREA) if shrink > 1 else heatmap
    level = min(threshold, float(small.max()) * _PEAK_SHARE)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((small > level).astype(np.uint8), connectivity=8)
    across, down = width / size[0], height / size[1]
    regions = []
    for index in range(1, count):
        left, top, box_width, box_height = (int(value) for value in stats[index, :4])
        window = (slice(top, top + box_height), slice(left, left + box_width))
        peak = float(small[window][labels[window] == index].max())
        box = BoundingBox(x=left * across, y=top * down, width=box_width * across, height=box_height * down)
        found = Detection(
            class_name=ANOMALY_CLASS, confidence=verdict_confidence(max(peak, threshold), threshold), bbox=box
        )
        regions.append((-peak, index, found))
    return tuple(found for *_, found in sorted(regions, key=lambda entry: entry[:2])[:MAX_REGIONS])
