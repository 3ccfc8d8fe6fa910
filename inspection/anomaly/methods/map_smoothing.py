"""The 1-2-1 smoothing of an anomaly map."""

from __future__ import annotations

import numpy as np

from inspection.runtime.arrays import FloatArray

KERNEL = np.array([1.0, 2.0, 1.0], np.float32) / 4


def smooth_map(values: FloatArray) -> FloatArray:
    """Return ``values`` ``(h, w)`` convolved with 1-2-1 along both axes, edges replicated."""
    padded = np.pad(values, 1, mode="edge")
    rows = KERNEL[0] * padded[:-2] + KERNEL[1] * padded[1:-1] + KERNEL[2] * padded[2:]
    smoothed: FloatArray = KERNEL[0] * rows[:, :-2] + KERNEL[1] * rows[:, 1:-1] + KERNEL[2] * rows[:, 2:]
    return smoothed
