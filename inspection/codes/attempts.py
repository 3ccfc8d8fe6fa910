"""The attempts at reading the codes of an image: which pictures of it the reader is given, in which order.

The reader finds most codes in the image as it is. The others are turned, blurred, faint, made of separate dots, or of
modules too small or too large for it. Each attempt is cheap and mends one of these. They are ordered by codes read per
time on drawn codes (dots on metal, faint and small modules, blurred and curved labels) and on photographs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inspection.codes.bar_regions import BarRegion, bar_regions, upright
from inspection.codes.filters import (
    Change,
    blurred,
    equalized,
    flattened,
    grown,
    inverted,
    joined,
    local,
    opened,
    sharpened_bars,
    unlike_ground,
)
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import Points

Effort = Literal["quick", "normal", "thorough"]
CodeKind = Literal["all", "bars", "matrix"]

# Enlarging more than this takes longer than an attempt may.
_MOST_PIXELS_ENLARGED = 8_000_000
_LEAST_SIDE_SHRUNK = 120
_MOST_ENLARGED = 2.1
_LONGEST_PICTURE = 1500.0
"""Of upright bars, in pixels: several for each of the thinnest bars of a long code."""
_BAR_SCALE, _BAR_SCALE_FAINT = 3.0, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture for the reader, grey, and the matrix ``(2, 3)`` from its coordinates to those of the image."""

    pixels: Pixels
    to_image: Points


class Pyramid:
    """A grey image at any scale; halves are kept, so that many small pictures of a large image cost little.

    Args:
        grey: uint8 ``(H, W)``.
    """

    def __init__(self, grey: Pixels) -> None:
        self.grey = grey
        self._levels = [grey]
        self._bar_regions: list[BarRegion] | None = None

    def scaled(self, factor: float) -> Pixels:
        """Return the image scaled by ``factor``, uint8 ``(h, w)``."""
        if factor == 1:
            return self.grey
        height, width = self.grey.shape
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        method = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
        return cv2.resize(self._level(factor), size, interpolation=method).astype(np.uint8, copy=False)

    def bar_regions(self) -> list[BarRegion]:
        """Return its regions of parallel bars."""
        if self._bar_regions is None:
            self._bar_regions = bar_regions(self.grey)
        return self._bar_regions

    def upright(self, region: BarRegion, scale: float) -> Prepared:
        """Return a region with its bars upright, enlarged by ``scale``."""
        level = self._level(scale)
        shrunk = np.array([self.grey.shape[1] / level.shape[1], self.grey.shape[0] / level.shape[0]])
        picture, matrix = upright(level, region.scaled(1 / float(shrunk.max())), scale * float(shrunk.max()))
        return Prepared(picture, matrix * shrunk[:, None])

    def _level(self, factor: float) -> Pixels:
        """Return the smallest halved image that is larger than needed."""
        wanted = 0
        while 0.5 ** (wanted + 1) > factor:
            wanted += 1
        while len(self._levels) <= wanted:
            last = self._levels[-1]
            size = (max(1, last.shape[1] // 2), max(1, last.shape[0] // 2))
            half = cv2.resize(last, size, interpolation=cv2.INTER_AREA)
            self._levels.append(half.astype(np.uint8, copy=False))
        return self._levels[wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(ABC):
    """One attempt.

    Attributes:
        kind: of the codes that are looked for.
        global_threshold: whether the picture is binarised by one threshold, not by that of each neighbourhood.
        searching: whether the reader also looks into the picture shrunk to several sizes.
        for_light_bars: whether the picture is inverted, because the reader inverts for matrix codes only.
    """

    kind: CodeKind = "all"
    global_threshold: bool = False
    searching: bool = False
    for_light_bars: bool = False

    @abstractmethod
    def size(self, grey: Pixels) -> float:
        """Return how many pixels of ``grey``, uint8 ``(H, W)``, are searched; 0 when the attempt is useless."""

    @abstractmethod
    def pictures(self, image: Pyramid) -> Iterator[Prepared]:
        """Yield what the reader is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Attempt):
    """The whole image at another scale, with a filter.

    Attributes:
        change: the filter, applied after scaling.
        scale: its factor, where ``side`` is None.
        side: the longest side in pixels after scaling.
        only_shrinks: whether the attempt is left out for images that are no larger than ``side``.
        least_side: the attempt is left out for images whose longest side is shorter.
        most_side: the attempt is left out for images whose longest side is longer.
    """

    change: Change | None = None
    scale: float = 1.0
    side: int | None = None
    only_shrinks: bool = False
    least_side: int = 0
    most_side: int = 2**31

    def _factor(self, grey: Pixels) -> float:
        return self.scale if self.side is None else self.side / max(grey.shape)

    def size(self, grey: Pixels) -> float:
        """Return how many pixels of ``grey``, uint8 ``(H, W)``, are searched; 0 when the attempt is useless."""
        factor = self._factor(grey)
        pixels = float(grey.size * factor**2)
        if (factor >= 1 and self.only_shrinks) or not self.least_side <= max(grey.shape) <= self.most_side:
            return 0.0
        if factor > 1 and (pixels > _MOST_PIXELS_ENLARGED or factor > _MOST_ENLARGED):
            return 0.0
        return 0.0 if factor < 1 and self.side is None and min(grey.shape) < _LEAST_SIDE_SHRUNK else pixels

    def pictures(self, image: Pyramid) -> Iterator[Prepared]:
        """Yield the scaled and filtered image."""
        grey = image.grey
        picture = image.scaled(self._factor(grey))
        if self.change is not None:
            picture = self.change(picture)
        across, down = grey.shape[1] / picture.shape[1], grey.shape[0] / picture.shape[0]
        yield Prepared(picture, np.array([[across, 0.0, 0.0], [0.0, down, 0.0]]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Attempt):
    """The regions of parallel bars, each turned upright and enlarged, with a filter."""

    change: Change
    scale: float

    def size(self, grey: Pixels) -> float:
        """Return how many pixels of ``grey``, uint8 ``(H, W)``, are searched: finding the regions costs most."""
        return float(grey.size)

    def pictures(self, image: Pyramid) -> Iterator[Prepared]:
        """Yield the regions, the most conspicuous first."""
        for region in image.bar_regions():
            found = image.upright(region, min(self.scale, _LONGEST_PICTURE / region.length))
            picture = inverted(found.pixels) if self.for_light_bars else found.pixels
            yield Prepared(self.change(picture), found.to_image)


def _matrix(side: int, change: Change | None, *, global_threshold: bool = False) -> Whole:
    return Whole(kind="matrix", side=side, change=change, global_threshold=global_threshold)


_QUICK: tuple[Attempt, ...] = (Whole(searching=True),)
_NORMAL: tuple[Attempt, ...] = (
    *_QUICK,
    Whole(kind="bars", change=inverted, searching=True, for_light_bars=True),
    Whole(global_threshold=True, searching=True),
    Whole(scale=2.0, searching=True),
    Whole(scale=0.5, global_threshold=True, searching=True),
)
_LARGE = 1280
"""Longest side of an image that is read as it is before the cheaper attempts."""
_ATTEMPTS: dict[Effort, tuple[Attempt, ...]] = {
    "quick": _QUICK,
    "normal": _NORMAL,
    "thorough": (
        Whole(most_side=_LARGE, searching=True),
        Whole(side=640, only_shrinks=True, least_side=_LARGE + 1),
        Bars(change=sharpened_bars, scale=_BAR_SCALE),
        _matrix(320, blurred(1.5)),
        _matrix(160, blurred(1.5)),
        _matrix(640, blurred(2.2)),
        _matrix(226, blurred(1.8)),
        _matrix(320, blurred(2.6)),
        _matrix(120, flattened),
        _matrix(226, joined(9, dark=True), global_threshold=True),
        _matrix(320, joined(9, dark=True)),
        _matrix(320, joined(9, dark=False)),
        _matrix(120, unlike_ground, global_threshold=True),
        _matrix(160, flattened),
        _matrix(640, joined(3, dark=True)),
        Whole(side=_LARGE, only_shrinks=True),
        Bars(change=sharpened_bars, scale=_BAR_SCALE, for_light_bars=True),
        _matrix(900, joined(3, dark=False)),
        _matrix(640, joined(9, dark=False)),
        _matrix(640, joined(9, dark=True)),
        _matrix(480, grown(3, dark=True)),
        _matrix(480, grown(5, dark=True), global_threshold=True),
        _matrix(320, grown(5, dark=False)),
        Bars(change=equalized, scale=_BAR_SCALE_FAINT),
        _matrix(900, None, global_threshold=True),
        Whole(kind="bars", change=inverted, searching=True, for_light_bars=True),
        _matrix(640, grown(5, dark=False)),
        _matrix(480, equalized),
        _matrix(320, unlike_ground, global_threshold=True),
        Whole(global_threshold=True, searching=True),
        _matrix(640, equalized, global_threshold=True),
        Whole(scale=0.5, global_threshold=True, searching=True),
        Whole(scale=2.0, searching=True),
        _matrix(450, joined(5, dark=True)),
        _matrix(900, blurred(3.0)),
        _matrix(900, joined(9, dark=True)),
        _matrix(_LARGE, equalized),
        Whole(searching=True, least_side=_LARGE + 1),
        Whole(change=local),
        Whole(scale=2.0, change=opened, global_threshold=True),
    ),
}


def attempts_of(effort: Effort) -> tuple[Attempt, ...]:
    """Return the attempts of an effort in their order."""
    return _ATTEMPTS[effort]
