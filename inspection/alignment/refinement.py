"""Refining a pose, and measuring its confidence."""

from __future__ import annotations

import numpy as np

from inspection.alignment.matrices import Matrix, Motion, limited, usable
from inspection.alignment.view import View, texture_of
from inspection.imaging.opencv import cv2

_ECC_ROUNDS = ((50, 1e-5, 5), (100, 1e-7, 3))
"""Maximum iterations, minimum gain and Gaussian filter size of each round."""
_LEAST_OVERLAP = 0.4


def _ecc_motion(motion: Motion) -> int:
    # Asked here and not at the import, which would load OpenCV for whoever lists the components.
    found = {
        "translation": cv2.MOTION_TRANSLATION,
        "rigid": cv2.MOTION_EUCLIDEAN,
        "similarity": cv2.MOTION_AFFINE,
    }
    return found[motion]


def refined(start: Matrix, seen: View, wanted: View, motion: Motion) -> Matrix:
    """Return a pose refined by the enhanced correlation coefficient; ``start`` itself when that does not converge.

    Args:
        start: float64 ``(2, 3)``, maps pixels of ``wanted`` to pixels of ``seen``.
        seen: the image at working size.
        wanted: the reference at working size.
        motion: the motion model.

    Returns:
        float64 ``(2, 3)``, as ``start``.
    """
    matrix = start.astype(np.float32)
    mask = np.full(seen.grey.shape, 255, np.uint8) if seen.valid_mask is None else seen.valid_mask
    height, width = wanted.grey.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    for iterations, gain, side in _ECC_ROUNDS:
        ending = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, gain)
        try:
            _, found = cv2.findTransformECC(wanted.grey, seen.grey, matrix, _ecc_motion(motion), ending, mask, side)
        except cv2.error:
            # No convergence: the initial pose is kept, and its confidence decides.
            return start
        full = np.asarray(found, np.float64)
        if not usable(full):
            return start
        matrix = limited(full, motion, (middle, full[:, :2] @ middle + full[:, 2])).astype(np.float32)
    return matrix.astype(np.float64)


def likeness(matrix: Matrix, seen: View, wanted: View) -> float:
    """Return the correlation of the textures of reference and warped image, -1 to 1; 0 when less than 40 % overlaps.

    Args:
        matrix: float64 ``(2, 3)``, maps pixels of ``wanted`` to pixels of ``seen``.
        seen: the image at working size.
        wanted: the reference at working size.
    """
    height, width = wanted.grey.shape
    flags = cv2.WARP_INVERSE_MAP
    valid = np.ones(seen.grey.shape, np.uint8) if seen.valid_mask is None else (seen.valid_mask > 0).astype(np.uint8)
    overlap = cv2.warpAffine(valid, matrix, (width, height), flags=flags | cv2.INTER_NEAREST).astype(np.bool_)
    if overlap.mean() < _LEAST_OVERLAP:
        return 0.0
    moved = texture_of(
        cv2.warpAffine(
            seen.grey, matrix, (width, height), flags=flags | cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.uint8)
    )
    one, other = wanted.texture[overlap], moved[overlap]
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size > 0 else 0.0
