"""Estimating the pose of a part."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inspection.alignment.first_poses import first_poses
from inspection.alignment.matrices import Matrix, Motion
from inspection.alignment.refinement import likeness, refined
from inspection.alignment.view import View, reference_at, view_of
from inspection.imaging.frames import Pixels
from inspection.imaging.grey import as_grey
from inspection.imaging.placement import Affine, Mask
from inspection.model_files.reference import ReferenceImage

_WORKING_SIDE = 640
_GOOD_ENOUGH = 0.9


@dataclass(frozen=True, slots=True)
class Pose:
    """The transform from an image to the reference.

    Attributes:
        affine: maps points of the image to the reference.
        confidence: correlation of the reference with the warped image, both normalised for local brightness and
            contrast; 1 for identical images.
        angle: clockwise rotation of the part on the image, degrees.
        scale: size of the part on the image relative to the reference.
        shift: displacement of the centre of the reference, as a share of its longer side.
    """

    affine: Affine
    confidence: float
    angle: float
    scale: float
    shift: float


def find_pose(
    pixels: Pixels,
    reference: ReferenceImage,
    motion: Motion,
    valid_mask: Mask | None = None,
    check: Callable[[], None] = lambda: None,
) -> Pose | None:
    """Return the pose of the part of a reference image on an image.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        reference: the image of a part where it should lie.
        motion: which parameters may differ: position; also angle; also size.
        valid_mask: bool ``(H, W)``, true for valid pixels; None when all are.
        check: called between the stages; may raise to cancel.

    Returns:
        the pose with the highest confidence; None without any initial pose.
    """
    shrink = max(1.0, max(*pixels.shape[:2], *reference.pixels.shape[:2]) / _WORKING_SIDE)
    wanted = reference_at(reference, shrink)
    seen = view_of(as_grey(pixels), valid_mask, shrink)
    best: tuple[float, Matrix] | None = None
    for start in first_poses(seen, wanted, motion):
        check()
        matrix = refined(start, seen, wanted, motion)
        for candidate in (start, matrix):
            confidence = likeness(candidate, seen, wanted)
            if best is None or confidence > best[0]:
                best = (confidence, candidate)
        if best is not None and best[0] >= _GOOD_ENOUGH:
            break
    if best is None:
        return None
    return _pose(best[1], best[0], pixels, reference.pixels, seen, wanted)


def _pose(matrix: Matrix, confidence: float, pixels: Pixels, reference: Pixels, seen: View, wanted: View) -> Pose:
    """Return the pose at full size; ``matrix`` maps the working reference to the working image."""
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
