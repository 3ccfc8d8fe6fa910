"""Defects drawn on good images: pasted pieces, scratches, stains and missing pieces of several sizes.

They stand in for defects nobody has photographed yet; nothing is fitted on them. Pasted
pieces and scratches follow CutPaste (Li et al. 2021), soft stains DRAEM (Zavrtanik et al. 2021).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.frames import Pixels, as_rgb
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import Mask

SHARES = (0.0015, 0.005, 0.015)
"""Areas of the drawn defects, as a share of the image."""
# A defect whose pixels differ less than this many grey values on average from the good image is drawn again.
_LEAST_DIFFERENCE = 6.0
# Where only some pixels count, each try is placed around one of them, and takes longer.
_MOST_TRIES, _MOST_PLACED_TRIES = 20, 8
# Share of a defect on valid pixels that is enough, and the rounds after which it may lie anywhere: ignore areas may
# leave less of the image than a defect takes.
_ENOUGH_VALID = 0.5
_MOST_ROUNDS = 10
_STRENGTHS = (0.5, 1.6)
_LEAST_DEVIATION = 12.0

_Generator = np.random.Generator
_Float = NDArray[np.float32]
_Places = NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class DrawnDefect:
    """Kind and size of a defect.

    Attributes:
        kind: ``pasted``, ``scratch``, ``stain`` or ``missing``.
        share: of the image's area.
    """

    kind: str
    share: float


def with_drawn_defect(picture: Picture, defect: DrawnDefect, generator: _Generator) -> Picture:
    """Return a picture with a defect drawn where its pixels count; see ``draw_defect``."""
    return picture.with_pixels(draw_defect(picture.pixels, defect, generator, picture.valid_mask()))


def draw_defect(pixels: Pixels, defect: DrawnDefect, generator: _Generator, valid: Mask | None = None) -> Pixels:
    """Return a copy of a good image with a defect at a random place; it always differs from the image.

    Args:
        pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
        defect: what is drawn; a stain of that size where its kind changes no pixel, as a piece pasted in an image of
            one colour does.
        generator: of place, shape and strength.
        valid: bool ``(H, W)``, pixels that contribute to a score: the middle of the defect is placed on one of
            them, a limited number of times until half of it lies on them; a scratch may be longer than they leave room
            for. None when all are valid.

    Returns:
        uint8, of the shape of ``pixels``.
    """
    image = as_rgb(pixels).astype(np.float32)
    places = None if valid is None else np.flatnonzero(valid)
    if places is not None and len(places) == 0:
        valid = places = None
    best, largest = _most_visible(image, defect.kind, defect.share, generator, valid, places)
    rounds = 1
    while largest == 0.0:
        rounds += 1
        if rounds > _MOST_ROUNDS:
            valid = places = None
        best, largest = _most_visible(image, "stain", defect.share, generator, valid, places)
    found = best.astype(np.uint8)
    return found if pixels.ndim == image.ndim else found[..., 0]


def _most_visible(
    image: _Float, kind: str, share: float, generator: _Generator, valid: Mask | None, places: _Places
) -> tuple[_Float, float]:
    """Return the first try that is visible enough where pixels count, else the most visible there, and how visible."""
    best, largest = image, 0.0
    for _ in range(_MOST_TRIES if places is None else _MOST_PLACED_TRIES):
        # As it will be written: a defect beyond black or white is not seen.
        drawn = np.clip(np.rint(_KINDS[kind](image, share, generator, places)), 0, 255)
        changed = np.abs(drawn - image).mean(axis=2)
        difference = float(changed[changed > 0].mean()) if changed.any() else 0.0
        counting = _valid_share(changed > 0, valid)
        seen = min(difference, _LEAST_DIFFERENCE) * counting
        if seen > largest:
            best, largest = drawn, seen
        if difference >= _LEAST_DIFFERENCE and counting >= _ENOUGH_VALID:
            break
    return best, largest


def _valid_share(changed: Mask, valid: Mask | None) -> float:
    """Return the share of changed pixels that are valid; 1 where none changed."""
    count = np.count_nonzero(changed)
    return 1.0 if valid is None or count == 0 else np.count_nonzero(changed & valid) / count


def _pasted(image: _Float, share: float, generator: _Generator, places: _Places) -> _Float:
    """Paste a piece of the image, turned, at another place."""
    alpha, (top, left, height, width) = _blob(image, share, generator, places)
    from_top = int(generator.integers(0, image.shape[0] - height + 1))
    from_left = int(generator.integers(0, image.shape[1] - width + 1))
    piece = image[from_top : from_top + height, from_left : from_left + width]
    piece = piece[::-1, ::-1] if generator.random() < 0.5 else piece[:, ::-1]  # noqa: PLR2004 - a fair coin
    return _blended(image, piece, alpha, top, left)


def _scratched(image: _Float, share: float, generator: _Generator, places: _Places) -> _Float:
    """Draw a curved line, brighter or darker than the surface, one to three 300ths of the side wide."""
    side = float(np.sqrt(image.shape[0] * image.shape[1]))
    width = max(1, round(side / 300 * generator.uniform(1, 3)))
    length = min(share * side * side / width, side)
    start = generator.uniform(0.1, 0.9, 2) * (image.shape[1], image.shape[0])
    angle, bend = generator.uniform(0, 2 * np.pi), generator.uniform(-1, 1)
    along = np.linspace(0, 1, 24)
    angles = angle + bend * along
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) * length / len(along)
    line = start + np.cumsum(steps, axis=0)
    if places is not None:
        row, column = _some_place(places, image, generator)
        line += np.array((column, row)) - line[len(line) // 2]
    points = np.rint(line).astype(np.int32)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.polylines(mask, [points.reshape(-1, 1, 2)], isClosed=False, color=255, thickness=width, lineType=cv2.LINE_AA)
    alpha = (mask.astype(np.float32) / 255)[..., None]
    return (image + alpha * np.float32(_signed_strength(image, generator))).astype(np.float32)


def _stained(image: _Float, share: float, generator: _Generator, places: _Places) -> _Float:
    """Brighten or darken a soft spot; in a colour image, tint it."""
    alpha, (top, left, height, width) = _blob(image, share, generator, places)
    piece = image[top : top + height, left : left + width]
    tint = generator.uniform(0.6, 1.0, 3).astype(np.float32)
    if np.ptp(piece, axis=2).max() < 1:
        tint = np.full(3, tint.mean(), np.float32)
    return _blended(image, piece + tint * np.float32(_signed_strength(image, generator)), alpha, top, left)


def _missing(image: _Float, share: float, generator: _Generator, places: _Places) -> _Float:
    """Fill a spot with the mean colour of another one, as if a piece were broken off."""
    alpha, (top, left, height, width) = _blob(image, share, generator, places)
    from_top = int(generator.integers(0, image.shape[0] - height + 1))
    from_left = int(generator.integers(0, image.shape[1] - width + 1))
    other = image[from_top : from_top + height, from_left : from_left + width]
    filled = np.broadcast_to(other.mean(axis=(0, 1)), other.shape)
    return _blended(image, filled, alpha, top, left)


_KINDS: dict[str, Callable[[_Float, float, _Generator, _Places], _Float]] = {
    "pasted": _pasted,
    "scratch": _scratched,
    "stain": _stained,
    "missing": _missing,
}
DEFECTS = tuple(DrawnDefect(kind, share) for kind, share in product(_KINDS, SHARES))
"""Every kind at every size."""


def _signed_strength(image: _Float, generator: _Generator) -> float:
    """Return by how many grey values a defect is brighter or darker: half to one and a half of the image's spread."""
    spread = max(float(image.std()), _LEAST_DEVIATION)
    return float(generator.uniform(*_STRENGTHS) * spread * generator.choice([-1.0, 1.0]))


def _some_place(places: NDArray[np.int64], image: _Float, generator: _Generator) -> tuple[int, int]:
    """Return row and column of one of some pixels."""
    row, column = divmod(int(places[int(generator.integers(len(places)))]), image.shape[1])
    return row, column


def _blob(
    image: _Float, share: float, generator: _Generator, places: _Places
) -> tuple[_Float, tuple[int, int, int, int]]:
    """Return the opacity ``(h, w, 1)`` of a soft-edged irregular spot, and its top, left, height and width."""
    rows, columns = image.shape[:2]
    stretch = float(np.exp(generator.uniform(-0.7, 0.7)))
    # An ellipse covers π/4 of its box.
    box = np.sqrt(share * rows * columns / (np.pi / 4))
    height = int(np.clip(round(box * stretch), 3, rows))
    width = int(np.clip(round(box / stretch), 3, columns))
    if places is None:
        top = int(generator.integers(0, rows - height + 1))
        left = int(generator.integers(0, columns - width + 1))
    else:
        row, column = _some_place(places, image, generator)
        top = min(max(row - height // 2, 0), rows - height)
        left = min(max(column - width // 2, 0), columns - width)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius = np.hypot((y + 0.5) / height * 2 - 1, (x + 0.5) / width * 2 - 1)
    coarse = generator.uniform(-0.35, 0.35, (4, 4)).astype(np.float32)
    uneven = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    # The edge is two pixels wide.
    alpha = np.clip((1.0 + uneven - radius) * min(height, width) / 4, 0, 1)
    return alpha.astype(np.float32)[..., None], (top, left, height, width)


def _blended(image: _Float, piece: _Float, alpha: _Float, top: int, left: int) -> _Float:
    """Return the image with ``piece`` ``(h, w, 3)`` laid over it at ``top``, ``left``."""
    result = image.copy()
    place = (slice(top, top + piece.shape[0]), slice(left, left + piece.shape[1]))
    result[place] = (1 - alpha) * image[place] + alpha * piece
    return result
