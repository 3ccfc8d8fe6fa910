"""Edges along lines across a picture, found to a fraction of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import Mask, Points

STEP = 0.25
"""Distance of the samples along a line, pixels."""
# A pixel and bilinear interpolation blur an ideal edge with about this standard deviation, pixels.
_PIXEL_BLUR = 0.5
# How far around an edge its slope counts, standard deviations.
_REACH = 3.0
# So that a broad line across a large picture takes some megabytes, not gigabytes.
_LANES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge on a line.

    Attributes:
        position: pixels from the line's start.
        contrast: by how many grey values a sharp edge of this slope rises (positive) or falls along the line.
    """

    position: float
    contrast: float


def sample_lines(
    grey: Pixels, counting: Mask | None, starts: Points, ends: Points, samples: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return grey values along lines, bilinear.

    Args:
        grey: uint8 ``(H, W)``.
        counting: which pixels count; None takes all.
        starts: ``(N, 2)``.
        ends: ``(N, 2)``.
        samples: on each line, its ends included.

    Returns:
        float64 ``(N, samples)`` and which of them lie within the picture and count.
    """
    share = np.linspace(0.0, 1.0, samples)[None, :, None]
    places = starts[:, None, :] * (1 - share) + ends[:, None, :] * share - 0.5
    height, width = grey.shape
    x, y = np.clip(places[..., 0], 0, width - 1), np.clip(places[..., 1], 0, height - 1)
    # Not cv2.remap: that rounds places to 1/32 of a pixel, which is more than the error of a good edge.
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = x - left, y - top
    upper = grey[top, left] * (1 - across) + grey[top, right] * across
    lower = grey[bottom, left] * (1 - across) + grey[bottom, right] * across
    values: NDArray[np.float64] = upper * (1 - down) + lower * down
    least, most = places.min(axis=-1), places - np.array([width, height])
    inside: NDArray[np.bool_] = (least + 0.5 >= 0) & (most.max(axis=-1) + 0.5 <= 0)
    if counting is not None:
        inside &= counting[np.round(y).astype(np.intp), np.round(x).astype(np.intp)]
    return values, inside


def slopes_of(
    profiles: NDArray[np.float64], known: NDArray[np.bool_], smoothing: float
) -> tuple[NDArray[np.float64], float]:
    """Return the slopes of calmed profiles, and what a slope is multiplied with to give the height of a sharp edge.

    Args:
        profiles: float64 ``(N, samples)``, samples ``STEP`` pixels apart.
        known: which samples are; the others have no slope.
        smoothing: standard deviation of the Gaussian that calms the profiles, pixels; larger than 0.
    """
    filled = np.where(known, profiles, 0.0)
    places = np.arange(profiles.shape[1])
    for row in np.flatnonzero(~known.all(axis=1) & known.any(axis=1)):
        filled[row] = np.interp(places, places[known[row]], profiles[row, known[row]])
    sigma = smoothing / STEP
    reach = max(1, int(np.ceil(4 * sigma)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    calm = cv2.filter2D(
        filled, cv2.CV_64F, (kernel / kernel.sum())[None, :], borderType=cv2.BORDER_REPLICATE
    )  # symmetric kernel: correlation is convolution
    slopes = np.gradient(np.asarray(calm, np.float64).reshape(filled.shape), axis=1) / STEP
    return np.where(known, slopes, 0.0), float(np.hypot(smoothing, _PIXEL_BLUR) * np.sqrt(2 * np.pi))


def peaks_of(
    slopes: NDArray[np.float64], smoothing: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return where slopes ``(N, samples)`` are steepest: rows, samples, and the places in pixels from the start.

    The place is the centre of gravity of the slope around its steepest sample. Unlike the highest point of a parabola
    it does not depend on where between two pixels a sharp edge lies: the sum of what the pixels hold is what the thing
    covers (moment preserving, Tabatabai and Mitchell 1984).
    """
    size = np.abs(slopes)
    rows, columns = np.nonzero((size[:, 1:-1] > size[:, :-2]) & (size[:, 1:-1] >= size[:, 2:]))
    columns = columns + 1
    reach = int(np.ceil(_REACH * np.hypot(smoothing, _PIXEL_BLUR) / STEP))
    offsets = np.arange(-reach, reach + 1)
    within = columns[:, None] + offsets
    window = slopes[rows[:, None], np.clip(within, 0, slopes.shape[1] - 1)]
    same = (window * slopes[rows, columns][:, None] > 0) & (within >= 0) & (within < slopes.shape[1])
    # Only up to where the slope turns: beyond lies another edge.
    same[:, reach:] = np.logical_and.accumulate(same[:, reach:], axis=1)
    same[:, reach::-1] = np.logical_and.accumulate(same[:, reach::-1], axis=1)
    weights = np.where(same, np.abs(window), 0.0)
    return rows, columns, (columns + (weights @ offsets) / weights.sum(axis=1)) * STEP


def edges_of(profile: NDArray[np.float64], *, smoothing: float, least_contrast: float) -> list[Edge]:
    """Return the edges of a profile whose samples are ``STEP`` pixels apart, in order.

    Args:
        profile: float64 ``(N,)``; NaN where nothing is known.
        smoothing: as in ``slopes_of``.
        least_contrast: edges that rise or fall by less are left out.
    """
    known = ~np.isnan(profile)
    if known.sum() < 3:  # noqa: PLR2004 - a slope needs neighbours
        return []
    slopes, height = slopes_of(profile[None, :], known[None, :], smoothing)
    _, columns, places = peaks_of(slopes, smoothing)
    edges = [
        Edge(float(place), float(slopes[0, column] * height)) for column, place in zip(columns, places, strict=True)
    ]
    return [edge for edge in edges if abs(edge.contrast) >= least_contrast]


def width_along(
    grey: Pixels,
    counting: Mask | None,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    width: float,
    tone: str,
    smoothing: float,
    least_contrast: float,
) -> tuple[Points, Points] | None:
    """Return the two outermost edges of a thing on a line, as points ``(2,)`` of the picture; None when not found.

    Args:
        grey: uint8 ``(H, W)``.
        counting: which pixels count.
        start: of the line, pixels of the picture.
        end: of the line.
        width: how many pixels across the line are averaged.
        tone: ``dark`` or ``bright``: the thing's; ``any`` takes any two edges.
        smoothing: as in ``edges_of``.
        least_contrast: as in ``edges_of``.
    """
    clipped = _clipped(np.array(start, np.float64), np.array(end, np.float64), grey.shape, width / 2 + 1)
    if clipped is None:
        return None
    first, last = clipped
    length = float(np.hypot(*(last - first)))
    if length < 1.0:
        return None
    along = (last - first) / length
    across = np.array([-along[1], along[0]])
    samples = int(np.floor(length / STEP)) + 1
    reached = first + along * (samples - 1) * STEP
    lanes = np.arange(max(1, round(width)), dtype=np.float64)
    offsets = (lanes - lanes.mean())[:, None] * across
    counts, sums = np.zeros(samples), np.zeros(samples)
    for block in np.array_split(offsets, -(-len(offsets) // _LANES_AT_ONCE)):
        values, valid = sample_lines(grey, counting, first + block, reached + block, samples)
        counts += valid.sum(axis=0)
        sums += np.where(valid, values, 0.0).sum(axis=0)
    profile = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    edges = edges_of(profile, smoothing=smoothing, least_contrast=least_contrast)
    signs = {"dark": (-1, 1), "bright": (1, -1)}.get(tone, (0, 0))
    entering = [edge for edge in edges if edge.contrast * signs[0] >= 0]
    if not entering:
        return None
    leaving = [edge for edge in edges if edge.contrast * signs[1] >= 0 and edge.position > entering[0].position]
    if not leaving:
        return None
    return first + along * entering[0].position, first + along * leaving[-1].position


def _clipped(first: Points, last: Points, shape: tuple[int, ...], margin: float) -> tuple[Points, Points] | None:
    """Return the part of a line that lies at most ``margin`` pixels outside a picture (Liang and Barsky 1984).

    Lines may be drawn far beyond the picture; nothing is sampled there.
    """
    along = last - first
    low, high = 0.0, 1.0
    for start, step, size in zip(first, along, (shape[1], shape[0]), strict=True):
        if step == 0:
            if not -margin <= start <= size + margin:
                return None
            continue
        entering, leaving = sorted(((-margin - start) / step, (size + margin - start) / step))
        low, high = max(low, entering), min(high, leaving)
    if low > high:
        return None
    return (first + low * along if low > 0 else first), (first + high * along if high < 1 else last)
