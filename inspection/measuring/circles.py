"""Robust fit of circles to edge points with outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.placement import Mask, Points
from inspection.measuring.edges import STEP, peaks_of, sample_lines, slopes_of

_LEAST_POINTS = 12
_MOST_POINTS = 360
_TRIPLES = 200
_ITERATIONS = 30
_TUKEY = 4.685
_MAD_TO_DEVIATION = 1.4826
_LEAST_REACH, _REACH_SHARE = 6.0, 0.1
_STILL = 1e-9
_LEAST_SHARE = 0.5
_SECTORS = 24
_MOST_DEVIATION = 0.05
"""Largest root mean square deviation of a circle, as a share of its radius."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A fitted circle.

    Attributes:
        x: of the centre, in the unit of the points.
        y: of the centre, in the unit of the points.
        radius: in the unit of the points.
    """

    x: float
    y: float
    radius: float


def rim_points(
    grey: Pixels, valid_mask: Mask | None, outline: Points, *, rising: bool, smoothing: float, least_contrast: float
) -> Points:
    """Return edge points, float64 ``(N, 2)``, near an outline, found along rays from its centre.

    Args:
        grey: uint8 ``(H, W)``.
        valid_mask: bool ``(H, W)``, true for valid pixels; None when all are.
        outline: ``(N, 2)`` in pixels, within a few pixels of the edge; each ray from its centre crosses it once.
        rising: whether grey values increase outwards.
        smoothing: standard deviation along the rays, pixels.
        least_contrast: edges of a lower contrast in grey values are left out.
    """
    middle = (outline.min(axis=0) + outline.max(axis=0)) / 2
    away = outline - middle
    around, distance = np.arctan2(away[:, 1], away[:, 0]), np.hypot(*away.T)
    # Equal angles instead of rays through the outline's pixels, which all cross the edge at one sub-pixel phase.
    angles = np.linspace(-np.pi, np.pi, min(len(outline), _MOST_POINTS), endpoint=False)
    distance = np.interp(angles, around, distance, period=2 * np.pi)
    direction = np.column_stack([np.cos(angles), np.sin(angles)])
    chosen = middle + direction * distance[:, None]
    reach = max(_LEAST_REACH, _REACH_SHARE * float(distance.mean()))
    samples = 2 * int(np.ceil(reach / STEP)) + 1
    half = (samples - 1) / 2 * STEP
    values, valid = sample_lines(grey, valid_mask, chosen - direction * half, chosen + direction * half, samples)
    slopes, height = slopes_of(values, valid, smoothing)
    rays, columns, places = peaks_of(slopes, smoothing)
    contrast = slopes[rays, columns] * height * (1 if rising else -1)
    offsets = places[contrast >= least_contrast] - half
    rays = rays[contrast >= least_contrast]
    # The edge nearest to the outline on each ray.
    order = np.lexsort((np.abs(offsets), rays))
    first = order[np.unique(rays[order], return_index=True)[1]]
    points: Points = chosen[rays[first]] + direction[rays[first]] * offsets[first, None]
    return points


def fit_circle(points: Points) -> Circle | None:
    """Return a circle fitted to points of which up to nearly half may be outliers.

    Initial circle: least median of squares over random triples (Rousseeuw 1984). Then geometric fit by Gauss-Newton
    with Tukey's biweight.

    Returns:
        None with fewer than 12 points, when fewer than half are inliers, when the inliers cover less than half of the
        circumference, or when they deviate by more than 5 % of the radius.
    """
    if len(points) < _LEAST_POINTS:
        return None
    start = _by_triples(points)
    if start is None:
        return None
    circle = start
    weights = np.ones(len(points))
    for _ in range(_ITERATIONS):
        residual, towards = _residuals(points, circle)
        deviation = max(float(np.median(np.abs(residual))) * _MAD_TO_DEVIATION, _STILL)
        weights = np.clip(1 - (residual / (_TUKEY * deviation)) ** 2, 0, None) ** 2
        if np.count_nonzero(weights) < _LEAST_POINTS // 2:
            return None
        jacobian = np.column_stack([towards, np.ones(len(points))]) * np.sqrt(weights)[:, None]
        step = np.linalg.lstsq(jacobian, residual * np.sqrt(weights), rcond=None)[0]
        circle = circle + step
        if float(np.abs(step).max()) < _STILL:
            break
    residual, towards = _residuals(points, circle)
    inliers = weights > 0
    if circle[2] <= 0 or inliers.mean() < _LEAST_SHARE or _around(towards[inliers]) < _LEAST_SHARE:
        return None
    deviation = float(np.sqrt((residual[inliers] ** 2).mean()))
    if deviation > _MOST_DEVIATION * circle[2]:
        return None
    return Circle(float(circle[0]), float(circle[1]), float(circle[2]))


def _around(towards: Points) -> float:
    """Return the share of the circumference that points cover."""
    angles = np.arctan2(towards[:, 1], towards[:, 0])
    return len(np.unique(np.floor((angles + np.pi) / (2 * np.pi) * _SECTORS))) / _SECTORS


def _residuals(points: Points, circle: NDArray[np.float64]) -> tuple[NDArray[np.float64], Points]:
    """Return the signed distances of points from the circle, and the unit vectors from its centre to them."""
    away = points - circle[:2]
    distance = np.maximum(np.hypot(*away.T), _STILL)
    return distance - circle[2], away / distance[:, None]


def _by_triples(points: Points) -> NDArray[np.float64] | None:
    # A fixed seed: the same points give the same circle.
    first, second, third = points[np.random.default_rng(0).integers(0, len(points), (_TRIPLES, 3))].transpose(1, 0, 2)
    (ax, ay), (bx, by) = (second - first).T, (third - first).T
    area = 2 * (ax * by - ay * bx)
    usable = np.abs(area) > _STILL
    if not usable.any():
        return None
    ax, ay, bx, by, area = (values[usable] for values in (ax, ay, bx, by, area))
    a, b = ax**2 + ay**2, bx**2 + by**2
    x, y = (by * a - ay * b) / area, (ax * b - bx * a) / area
    radius = np.hypot(x, y)
    centres = first[usable] + np.column_stack([x, y])
    distance = np.hypot(points[:, 0, None] - centres[:, 0], points[:, 1, None] - centres[:, 1])
    best = int(np.median(np.abs(distance - radius), axis=0).argmin())
    return np.array([*centres[best], radius[best]])
