"""Matrices of poses, and their restriction to a motion model."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Motion = Literal["translation", "rigid", "similarity"]
Matrix = NDArray[np.float64]
"""``(2, 3)``, maps pixel centres to pixel centres."""

_LEAST_AREA = 0.05


def usable(matrix: Matrix) -> bool:
    """Return whether a matrix, float64 ``(2, 3)``, is finite and does not collapse the image."""
    return bool(np.isfinite(matrix).all() and abs(float(np.linalg.det(matrix[:, :2]))) > _LEAST_AREA)


def limited(matrix: Matrix, motion: Motion, middles: tuple[NDArray[Any], NDArray[Any]]) -> Matrix:
    """Return the nearest matrix that ``motion`` allows and that still maps the first of ``middles`` to the second.

    Args:
        matrix: float64 ``(2, 3)``, an affine map.
        motion: the motion model.
        middles: a point and its image, ``(2,)`` each, x and y in pixels.

    Returns:
        float64 ``(2, 3)``.
    """
    if motion == "translation":
        linear = np.eye(2)
    else:
        # The nearest similarity of an affine map.
        cosine, sine = (matrix[0, 0] + matrix[1, 1]) / 2, (matrix[1, 0] - matrix[0, 1]) / 2
        linear = np.array([[cosine, -sine], [sine, cosine]])
        if motion == "rigid":
            linear /= max(float(np.hypot(cosine, sine)), 1e-9)
    return np.column_stack([linear, middles[1] - linear @ middles[0]])
