"""Where a part lies compared with a reference image, found to a fraction of a pixel or not at all.

Matching features (SIFT, Lowe 2004; RANSAC, Fischler and Bolles 1981) give a first pose, phase correlation another one
where features are few; the enhanced correlation coefficient (Evangelidis and Psarakis 2008) makes it finer. Whatever
way it was found, a pose counts only when the picture brought into it looks like the reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inspection.frames import Pixels
from inspection.grey import as_grey
from inspection.opencv import cv2
from inspection.placement import Affine, FloatMap, Mask
from inspection.reference import ReferenceImage

Motion = Literal["translation", "rigid", "similarity"]
Matrix = NDArray[np.float64]
"""``(2, 3)`` between pixel centres."""

_WORKING_SIDE = 640
_FEATURES = 1200
_RATIO = 0.8
_LEAST_MATCHES = 6
_REPROJECTION = 3.0
_RANSAC_ITERATIONS = 2000
_RANSAC_CONFIDENCE = 0.995
_CALMING = 1.5
_ECC_ROUNDS = ((50, 1e-5, 5), (100, 1e-7, 3))
"""Most iterations, least gain and side of the Gaussian of each round."""
_LEAST_OVERLAP = 0.4
_CONTRAST_WINDOW = 12.0
_EVEN = 2.0
_GOOD_ENOUGH = 0.9
_LEAST_AREA = 0.05
_ECC_MOTION = {
    "translation": cv2.MOTION_TRANSLATION,
    "rigid": cv2.MOTION_EUCLIDEAN,
    "similarity": cv2.MOTION_AFFINE,
}


@dataclass(frozen=True, slots=True)
class Pose:
    """How a picture is brought onto the reference.

    Attributes:
        affine: takes points of the picture to the reference.
        confidence: correlation of reference and picture in this pose, local brightness and contrast taken out; 1 is
            the same image.
        angle: degrees, by which the part lies turned clockwise on the picture.
        scale: how many times larger it is on the picture.
        shift: how far the middle of the reference lies from there on the picture, as a share of its longer side.
    """

    affine: Affine
    confidence: float
    angle: float
    scale: float
    shift: float


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """An image at working size with what is compared of it."""

    grey: Pixels
    counting: NDArray[np.uint8] | None
    points: NDArray[np.float32]
    descriptors: NDArray[Any] | None
    texture: FloatMap


def find_pose(
    pixels: Pixels,
    reference: ReferenceImage,
    motion: Motion,
    counting: Mask | None = None,
    check: Callable[[], None] = lambda: None,
) -> Pose | None:
    """Find where the part of a reference image lies on a picture.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        reference: the image of a part where it should lie.
        motion: what may differ: the place; also the angle; also the size.
        counting: which pixels of the picture count, bool ``(H, W)``.
        check: called between the parts of the work; what it raises ends it.

    Returns:
        the pose whose confidence is the highest; None when no two things match at all.
    """
    shrink = max(1.0, max(*pixels.shape[:2], *reference.pixels.shape[:2]) / _WORKING_SIDE)
    wanted = _reference_at(reference, shrink)
    seen = _look(as_grey(pixels), counting, shrink)
    best: tuple[float, Matrix] | None = None
    for start in _starts(seen, wanted, motion):
        check()
        matrix = _refined(start, seen, wanted, motion)
        for candidate in (start, matrix):
            confidence = _likeness(candidate, seen, wanted)
            if best is None or confidence > best[0]:
                best = (confidence, candidate)
        if best is not None and best[0] >= _GOOD_ENOUGH:
            break
    if best is None:
        return None
    return _pose(best[1], best[0], pixels, reference.pixels, seen, wanted)


def _pose(matrix: Matrix, confidence: float, pixels: Pixels, reference: Pixels, seen: _Seen, wanted: _Seen) -> Pose:
    """Return the pose in full size; ``matrix`` takes the working reference to the working picture."""
    sides = [
        np.diag([small.grey.shape[1] / full.shape[1], small.grey.shape[0] / full.shape[0], 1.0])
        for small, full in ((seen, pixels), (wanted, reference))
    ]
    half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    working = half @ np.vstack([matrix, [0.0, 0.0, 1.0]]) @ np.linalg.inv(half)
    onto_picture = np.linalg.inv(sides[0]) @ working @ sides[1]
    a, b, c, d, e, f = (float(value) for value in np.linalg.inv(onto_picture)[:2].ravel())
    height, width = reference.shape[:2]
    middle = np.array([width / 2, height / 2, 1.0])
    moved = (onto_picture @ middle - middle)[:2]
    return Pose(
        (a, b, c, d, e, f),
        confidence,
        angle=math.degrees(math.atan2(onto_picture[1, 0], onto_picture[0, 0])),
        scale=math.sqrt(abs(float(np.linalg.det(onto_picture[:2, :2])))),
        shift=float(np.hypot(*moved)) / max(width, height),
    )


@lru_cache(maxsize=4)
def _reference_at(reference: ReferenceImage, shrink: float) -> _Seen:
    return _look(as_grey(reference.pixels), None, shrink)


def _look(grey: Pixels, counting: Mask | None, shrink: float) -> _Seen:
    mask = None if counting is None else counting.astype(np.uint8)
    if shrink > 1:
        size = (max(1, round(grey.shape[1] / shrink)), max(1, round(grey.shape[0] / shrink)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        if mask is not None:
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
    found, descriptors = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=0.02).detectAndCompute(grey, mask)
    points = np.array([point.pt for point in found], np.float32).reshape(-1, 2)
    return _Seen(grey, mask, points, descriptors if len(points) else None, _texture(grey))


def _texture(grey: Pixels) -> FloatMap:
    """Return grey values with brightness and contrast of their surroundings taken out."""
    calm = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _CALMING)
    level = cv2.GaussianBlur(calm, (0, 0), _CONTRAST_WINDOW)
    spread = cv2.GaussianBlur((calm - level) ** 2, (0, 0), _CONTRAST_WINDOW)
    texture: FloatMap = ((calm - level) / np.sqrt(spread + _EVEN**2)).astype(np.float32)
    return texture


def _starts(seen: _Seen, wanted: _Seen, motion: Motion) -> Iterator[Matrix]:
    """Yield first poses, reference to picture."""
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


def _by_features(seen: _Seen, wanted: _Seen, motion: Motion) -> Matrix | None:
    if seen.descriptors is None or wanted.descriptors is None or len(seen.points) < 2:  # noqa: PLR2004 - two neighbours
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(wanted.descriptors, seen.descriptors, k=2)
    good = [first for first, second in pairs if first.distance < _RATIO * second.distance]
    if len(good) < _LEAST_MATCHES:
        return None
    source = wanted.points[[match.queryIdx for match in good]]
    target = seen.points[[match.trainIdx for match in good]]
    # OpenCV's random numbers begin anew: the same images give the same pose.
    cv2.setRNGSeed(0)
    matrix, kept = cv2.estimateAffinePartial2D(
        source,
        target,
        method=cv2.RANSAC,
        ransacReprojThreshold=_REPROJECTION,
        maxIters=_RANSAC_ITERATIONS,
        confidence=_RANSAC_CONFIDENCE,
    )
    if matrix is None or int(np.count_nonzero(kept)) < _LEAST_MATCHES or not _usable(np.asarray(matrix, np.float64)):
        return None
    inliers = np.asarray(kept).ravel().astype(np.bool_)
    middles = source[inliers].mean(axis=0), target[inliers].mean(axis=0)
    return _limited(np.asarray(matrix, np.float64), motion, middles)


def _usable(matrix: Matrix) -> bool:
    """Return whether a matrix is one of numbers that does not press the image together to nearly nothing."""
    return bool(np.isfinite(matrix).all() and abs(float(np.linalg.det(matrix[:, :2]))) > _LEAST_AREA)


def _limited(matrix: Matrix, motion: Motion, middles: tuple[NDArray[Any], NDArray[Any]]) -> Matrix:
    """Return the matrix with nothing in it but what ``motion`` allows, one middle still going onto the other."""
    if motion == "translation":
        linear = np.eye(2)
    else:
        # The nearest similarity of an affine map.
        cosine, sine = (matrix[0, 0] + matrix[1, 1]) / 2, (matrix[1, 0] - matrix[0, 1]) / 2
        linear = np.array([[cosine, -sine], [sine, cosine]])
        if motion == "rigid":
            linear /= max(float(np.hypot(cosine, sine)), 1e-9)
    return np.column_stack([linear, middles[1] - linear @ middles[0]])


def _refined(start: Matrix, seen: _Seen, wanted: _Seen, motion: Motion) -> Matrix:
    """Return a pose made finer; ``start`` itself when that comes to nothing."""
    matrix = start.astype(np.float32)
    mask = np.full(seen.grey.shape, 255, np.uint8) if seen.counting is None else seen.counting
    height, width = wanted.grey.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    for iterations, gain, side in _ECC_ROUNDS:
        ending = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, gain)
        try:
            _, found = cv2.findTransformECC(wanted.grey, seen.grey, matrix, _ECC_MOTION[motion], ending, mask, side)
        except cv2.error:
            # It does not converge: what was there before is the answer, and its likeness decides.
            return start
        full = np.asarray(found, np.float64)
        if not _usable(full):
            return start
        matrix = _limited(full, motion, (middle, full[:, :2] @ middle + full[:, 2])).astype(np.float32)
    return matrix.astype(np.float64)


def _likeness(matrix: Matrix, seen: _Seen, wanted: _Seen) -> float:
    """Return the correlation of the reference's texture and the picture's in a pose; 0 when they hardly overlap."""
    height, width = wanted.grey.shape
    flags = cv2.WARP_INVERSE_MAP
    valid = np.ones(seen.grey.shape, np.uint8) if seen.counting is None else (seen.counting > 0).astype(np.uint8)
    overlap = cv2.warpAffine(valid, matrix, (width, height), flags=flags | cv2.INTER_NEAREST).astype(np.bool_)
    if overlap.mean() < _LEAST_OVERLAP:
        return 0.0
    moved = _texture(
        cv2.warpAffine(
            seen.grey, matrix, (width, height), flags=flags | cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.uint8)
    )
    one, other = wanted.texture[overlap], moved[overlap]
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size > 0 else 0.0
