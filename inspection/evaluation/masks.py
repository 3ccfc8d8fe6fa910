"""Ground-truth masks of defects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.files import read_image
from inspection.imaging.frames import Pixels
from models.errors import InvalidInput

Marked = NDArray[np.bool_]

# A mask has two values, or two with intermediate ones along the edges: of 392 masks of magnetic tiles, published in
# reduced size, each has at least 97 % of its pixels at the two extremes. Of 532 photographs of castings, tiles and
# steel none has more than 39 % there, or fewer than 52 values.
_FEW_VALUES = 16
_MOST_BLENDED = 0.2


def find_mask(masks: Path, image: Path, root: Path) -> Path | None:
    """Return the file of an image's mask: under the same relative name, ``.png`` or ``_mask.png``; None without one.

    Args:
        masks: folder of the masks.
        image: the image file.
        root: folder that the image's name is relative to.
    """
    place = (masks / image.relative_to(root)).parent
    named = (place / name for name in (f"{image.stem}.png", f"{image.stem}_mask.png"))
    return next((path for path in named if path.is_file()), None)


def read_mask(path: Path) -> Marked:
    """Return a mask, bool ``(H, W)``, True on defects; all False when nothing is marked.

    Raises:
        InvalidInput: ``mask-photograph`` when the file is a photograph, not a mask.
        UnreadableImage: when it is damaged.
    """
    stored = read_image(path, mode="as-stored")
    if not _is_mask(stored):
        raise InvalidInput("mask-photograph", mask=str(path))
    marked: Marked = (stored if stored.ndim == 2 else stored[:, :, 0]) > 0  # noqa: PLR2004 - grey
    return marked


def require_size(mask: Marked, path: Path, image: Path, shape: tuple[int, ...]) -> None:
    """Check that a mask has the height and width of its image.

    Raises:
        InvalidInput: ``mask-size``.
    """
    if mask.shape != shape:
        raise InvalidInput("mask-size", mask=path.name, name=image.name)


def _is_mask(stored: Pixels) -> bool:
    """Return whether an image may be a mask: grey, background 0, few values or nearly all pixels at the extremes."""
    if stored.ndim == 3:  # noqa: PLR2004 - colour
        if not (stored == stored[:, :, :1]).all():
            return False
        stored = stored[:, :, 0]
    counts = np.bincount(stored.ravel(), minlength=256)
    values = np.flatnonzero(counts)
    if len(values) == 1:
        return True
    blended = 1 - (counts[values[0]] + counts[values[-1]]) / stored.size
    return bool(values[0] == 0 and (len(values) <= _FEW_VALUES or blended <= _MOST_BLENDED))
