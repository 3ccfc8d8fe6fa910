"""Initial poses from matching features and from phase correlation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inspection.alignment.matrices import Matrix, Motion, limited, usable
from inspection.alignment.view import View
from inspection.imaging.opencv import cv2

_RATIO = 0.8
_LEAST_MATCHES = 6
_REPROJECTION = 3.0
_RANSAC_ITERATIONS = 2000
_RANSAC_CONFIDENCE = 0.995


def first_poses(seen: View, wanted: View, motion: Motion) -> Iterator[Matrix]:
    """Yield initial poses, float64 ``(2, 3)``, that map pixels of the working reference to the working image."""
    matched = _by_features(seen, wanted, motion)
    if matched is not None:
        yield matched
    height, width = (max(one, other) for one, other in zip(seen.grey.shape, wanted.grey.shape, strict=True))
    padded = [
        np.pad(part.texture, ((0, height - part.texture.shape[0]), (0, width - part.texture.shape[1])))
        for part in (wanted, seen)
    ]
    window = cv2.createHanningWindow((width, height), cv2.CV_32F) if min(height, width) > 1 else None
    if window is not None:
        (right, down), _ = cv2.phaseCorrelate(padded[0], padded[1], window)
        if np.isfinite([right, down]).all():
            yield np.array([[1.0, 0.0, right], [0.0, 1.0, down]])


def _by_features(seen: View, wanted: View, motion: Motion) -> Matrix | None:
    if seen.descriptors is None or wanted.descriptors is None or len(seen.points) < 2:  # noqa: PLR2004 - two neighbours
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(wanted.descriptors, seen.descriptors, k=2)
    good = [first for first, second in pairs if first.distance < _RATIO * second.distance]
    if len(good) < _LEAST_MATCHES:
        return None
    source = wanted.points[[match.queryIdx for match in good]]
    target = seen.points[[match.trainIdx for match in good]]
    # A fixed seed: the same images give the same pose.
    cv2.setRNGSeed(0)
    matrix, kept = cv2.estimateAffinePartial2D(
        source,
        target,
        method=cv2.RANSAC,
        ransacReprojThreshold=_REPROJECTION,
        maxIters=_RANSAC_ITERATIONS,
        confidence=_RANSAC_CONFIDENCE,
    )
    if matrix is None or int(np.count_nonzero(kept)) < _LEAST_MATCHES or not usable(np.asarray(matrix, np.float64)):
        return None
    inliers = np.asarray(kept).ravel().astype(np.bool_)
    middles = source[inliers].mean(axis=0), target[inliers].mean(axis=0)
    return limited(np.asarray(matrix, np.float64), motion, middles)
