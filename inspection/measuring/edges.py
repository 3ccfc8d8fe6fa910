"""Edges along lines across an image, with sub-pixel accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import Mask, Points

STEP = 0.25
"""Spacing of the samples along a line, pixels."""
# Pixel area and bilinear interpolation blur an ideal edge with about this standard deviation, pixels.
_PIXEL_BLUR = 0.5
# Half width of the window around an edge, standard deviations.
_REACH = 3.0
# Bounds the memory of a broad line across a large image to some megabytes.
_LANES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge on a line.

    Attributes:
        position: pixels from the line's start.
        contrast: height of the edge in grey values, positive where they increase along the line.
    """

    position: float
    contrast: float


def sample_lines(
    grey: Pixels, valid_mask: Mask | None, starts: Points, ends: Points, samples: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return bilinearly interpolated grey values along lines.

    Args:
        grey: uint8 ``(H, W)``.
        valid_mask: bool ``(H, W)``, true for valid pixels; None when all are.
        starts: of the lines, float64 ``(N, 2)``, pixels.
        ends: of the lines, float64 ``(N, 2)``, pixels.
        samples: on each line, its ends included.

    Returns:
        the values, float64 ``(N, samples)``, and whether each lies within the image on a valid pixel, bool.
    """
    share = np.linspace(0.0, 1.0, samples)[None, :, None]
    places = starts[:, None, :] * (1 - share) + ends[:, None, :] * share - 0.5
    height, width = grey.shape
    x, y = np.clip(places[..., 0], 0, width - 1), np.clip(places[..., 1], 0, height - 1)
    # Not cv2.remap: it rounds positions to 1/32 of a pixel, more than the error of a good edge.
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = x - left, y - top
    upper = grey[top, left] * (1 - across) + grey[top, right] * across
    lower = grey[bottom, left] * (1 - across) + grey[bottom, right] * across
    values: NDArray[np.float64] = upper * (1 - down) + lower * down
    least, most = places.min(axis=-1), places - np.array([width, height])
    inside: NDArray[np.bool_] = (least + 0.5 >= 0) & (most.max(axis=-1) + 0.5 <= 0)
    if valid_mask is not None:
        inside &= valid_mask[np.round(y).astype(np.intp), np.round(x).astype(np.intp)]
    return values, inside


def slopes_of(
    profiles: NDArray[np.float64], known: NDArray[np.bool_], smoothing: float
) -> tuple[NDArray[np.float64], float]:
    """Return the slopes of smoothed profiles, and the factor from a slope to the height of a sharp edge.

    Args:
        profiles: float64 ``(N, samples)``, samples ``STEP`` pixels apart.
        known: bool ``(N, samples)``; unknown samples have slope 0.
        smoothing: standard deviation of the Gaussian, pixels; larger than 0.
    """
    filled = np.where(known, profiles, 0.0)
    places = np.arange(profiles.shape[1])
    for row in np.flatnonzero(~known.all(axis=1) & known.any(axis=1)):
        filled[row] = np.interp(places, places[known[row]], profiles[row, known[row]])
    sigma = smoothing / STEP
    reach = max(1, int(np.ceil(4 * sigma)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    smooth = cv2.filter2D(
        filled, cv2.CV_64F, (kernel / kernel.sum())[None, :], borderType=cv2.BORDER_REPLICATE
    )  # symmetric kernel: correlation is convolution
    slopes = np.gradient(np.asarray(smooth, np.float64).reshape(filled.shape), axis=1) / STEP
    return np.where(known, slopes, 0.0), float(np.hypot(smoothing, _PIXEL_BLUR) * np.sqrt(2 * np.pi))


def peaks_of(
    slopes: NDArray[np.float64], smoothing: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the extrema of slopes ``(N, samples)``: rows, samples, and positions in pixels from the start.

    The position is the centre of gravity of the slope around its extremum. Unlike the vertex of a parabola it does not
    depend on the sub-pixel phase of a sharp edge (moment preserving, Tabatabai and Mitchell 1984).
    """
    size = np.abs(slopes)
    rows, columns = np.nonzero((size[:, 1:-1] > size[:, :-2]) & (size[:, 1:-1] >= size[:, 2:]))
    columns = columns + 1
    reach = int(np.ceil(_REACH * np.hypot(smoothing, _PIXEL_BLUR) / STEP))
    offsets = np.arange(-reach, reach + 1)
    within = columns[:, None] + offsets
    window = slopes[rows[:, None], np.clip(within, 0, slopes.shape[1] - 1)]
    same = (window * slopes[rows, columns][:, None] > 0) & (within >= 0) & (within < slopes.shape[1])
    # Only up to the next change of sign: beyond it lies another edge.
    same[:, reach:] = np.logical_and.accumulate(same[:, reach:], axis=1)
    same[:, reach::-1] = np.logical_and.accumulate(same[:, reach::-1], axis=1)
    weights = np.where(same, np.abs(window), 0.0)
    return rows, columns, (columns + (weights @ offsets) / weights.sum(axis=1)) * STEP


def edges_of(profile: NDArray[np.float64], *, smoothing: float, least_contrast: float) -> list[Edge]:
    """Return the edges of a profile with samples ``STEP`` pixels apart, in order.

    Args:
        profile: float64 ``(N,)``; NaN for unknown samples.
        smoothing: as in ``slopes_of``.
        least_contrast: edges of a lower contrast in grey values are left out.
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
    valid_mask: Mask | None,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    width: float,
    tone: str,
    smoothing: float,
    least_contrast: float,
) -> tuple[Points, Points] | None:
    """Return the two outermost edges of an object on a line, as points ``(2,)`` of the image; None when not found.

    Args:
        grey: uint8 ``(H, W)``.
        valid_mask: which pixels count.
        start: of the line, pixels of the image.
        end: of the line.
        width: number of pixels averaged across the line.
        tone: ``dark`` or ``bright``, of the object; ``any`` accepts any two edges.
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
        values, valid = sample_lines(grey, valid_mask, first + block, reached + block, samples)
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
    """Return a line clipped to the image with a margin in pixels (Liang and Barsky 1984); None when it misses it."""
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
