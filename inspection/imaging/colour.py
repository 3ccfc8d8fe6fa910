"""Perceptual colour: CIELAB and the CIEDE2000 difference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float64]
"""``(..., 3)``."""

# IEC 61966-2-1:1999 (sRGB), linear RGB to XYZ under D65, and the white of that matrix.
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = _TO_XYZ.sum(axis=1)
_LINEAR_BELOW, _LINEAR_SLOPE, _OFFSET, _GAMMA = 0.04045, 12.92, 0.055, 2.4
# CIE 15:2004, 8.2.1: below it the cube root is replaced by a straight line.
_DARK = (6 / 29) ** 3
_TURN = 360.0
_HALF = 180.0
_SEVENTH = 25.0**7


def lab_of(rgb: NDArray[Any]) -> Colours:
    """Return sRGB colours as CIELAB, D65, 2° observer.

    Sources: IEC 61966-2-1 for sRGB, CIE 15:2004 for CIELAB.

    Args:
        rgb: ``(..., 3)``, 0 to 255.

    Returns:
        float64 ``(..., 3)``: L* 0 to 100, a*, b*.
    """
    coded = np.asarray(rgb, np.float64) / 255.0
    linear = np.where(
        coded <= _LINEAR_BELOW, coded / _LINEAR_SLOPE, ((np.maximum(coded, 0) + _OFFSET) / (1 + _OFFSET)) ** _GAMMA
    )
    share = linear @ _TO_XYZ.T / _WHITE
    x, y, z = np.moveaxis(np.where(share > _DARK, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def ciede2000(one: Colours, other: Colours) -> NDArray[np.float64]:
    """Return the CIEDE2000 differences of CIELAB colours, all weights 1.

    Source: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test
    data, and mathematical observations", Color Research and Application 30 (2005), equations 2 to 22.

    Args:
        one: float64 ``(..., 3)``.
        other: float64, of a shape that broadcasts with ``one``.

    Returns:
        float64 ``(...)``, from 0.
    """
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(mean_chroma**7 / (mean_chroma**7 + _SEVENTH)))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (
        np.degrees(np.arctan2(b, a * stretch)) % _TURN for a, b in ((a1, b1), (a2, b2))
    )  # arctan2 gives 0 for grey, as the source requires
    grey = c1 * c2 == 0
    apart = np.abs(h2 - h1)
    turn = np.where(apart <= _HALF, h2 - h1, np.where(h2 > h1, h2 - h1 - _TURN, h2 - h1 + _TURN))
    turn = np.where(grey, 0.0, turn)
    lightness, chroma = l2 - l1, c2 - c1
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    both = h1 + h2
    mean_h = np.where(apart <= _HALF, both / 2, np.where(both < _TURN, (both + _TURN) / 2, (both - _TURN) / 2))
    mean_h = np.where(grey, both, mean_h)
    angle = np.radians(mean_h)
    t = (
        1
        - 0.17 * np.cos(angle - np.radians(30))
        + 0.24 * np.cos(2 * angle)
        + 0.32 * np.cos(3 * angle + np.radians(6))
        - 0.20 * np.cos(4 * angle - np.radians(63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    twist = np.radians(30) * np.exp(-(((mean_h - 275) / 25) ** 2))
    r_t = -np.sin(2 * twist) * 2 * np.sqrt(mean_c**7 / (mean_c**7 + _SEVENTH))
    parts = lightness / s_l, chroma / s_c, hue / s_h
    squared = parts[0] ** 2 + parts[1] ** 2 + parts[2] ** 2 + r_t * parts[1] * parts[2]
    difference: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0.0))
    return difference
