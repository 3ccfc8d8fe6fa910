"""Ground-truth masks of defects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inspection.imaging.datasets import image_files
from inspection.imaging.decoding import require_one_page, stored_values
from inspection.imaging.files import read_image_bytes, require_image
from inspection.imaging.formats import IMAGE_SUFFIXES
from inspection.imaging.reading import AS_DECLARED, Reading
from models.errors import InvalidInput
from models.storage import is_file, is_folder

Marked = NDArray[np.bool_]
MaskMarks = Literal["auto", "above-zero", "zero"]
"""Which pixels are the defect: those above 0, or those that are 0; ``auto`` asks where masks look inverted."""

# A mask has two values, or two with intermediate ones along the edges: of 392 masks of magnetic tiles, published in
# reduced size, each has at least 97 % of its pixels at the two extremes. Of 532 photographs of castings, tiles and
# steel none has more than 39 % there, or fewer than 52 values.
_FEW_VALUES = 16
_MOST_BLENDED = 0.2
# Lossy formats leave faint values around each mark.
_LOSSY = frozenset({"jpeg", "webp"})
_ALPHA = 3
_MOSTLY = 0.5


def find_masks(masks: Path, image: Path, root: Path) -> list[Path]:
    """Return the files of an image's mask, under the same relative name; empty without one.

    A mask is one file of any format, with or without ``_mask`` before its ending; or a folder of the image's name, with
    one file for each defect.

    Args:
        masks: folder of the masks.
        image: the image file.
        root: folder that the image's name is relative to.
    """
    place = (masks / image.relative_to(root)).parent
    endings = (".png", *sorted(IMAGE_SUFFIXES - {".png"}))
    named = (place / f"{image.stem}{added}{ending}" for ending in endings for added in ("", "_mask"))
    found = next((path for path in named if is_file(path)), None)
    if found is not None:
        return [found]
    folder = place / image.stem
    return image_files(folder) if is_folder(folder) else []


def read_masks(paths: Sequence[Path], marks: MaskMarks = "auto", reading: Reading = AS_DECLARED) -> Marked:
    """Return the union of the masks of an image; of ``reading`` it takes which pages are read.

    Raises:
        InvalidInput: as ``read_mask``, and ``mask-size`` when they differ in size.
        UnreadableImage: as ``read_mask``.
    """
    joined = read_mask(paths[0], marks, reading)
    for path in paths[1:]:
        further = read_mask(path, marks, reading)
        require_size(further, path, paths[0], joined.shape)
        joined = joined | further
    return joined


def read_mask(path: Path, marks: MaskMarks = "auto", reading: Reading = AS_DECLARED) -> Marked:
    """Return a mask, bool ``(H, W)``, True on defects; all False when nothing is marked.

    Args:
        path: of the file: grey, of any depth, or of few colours; transparent pixels are not marked.
        marks: which pixels are the defect.
        reading: which page of several is read; its range is that of the images, not of masks.

    Raises:
        InvalidInput: ``mask-photograph`` when the file is a photograph, not a mask.
        UnreadableImage: when it is damaged.
    """
    data = read_image_bytes(path)
    header = require_image(data, name=path.name)
    require_one_page(header, name=path.name, reading=reading)
    stored = stored_values(data, header, name=path.name)
    opaque: Marked | None = None
    if header.alpha and stored.ndim > 2 and stored.shape[2] > _ALPHA:  # noqa: PLR2004
        opaque = stored[:, :, _ALPHA] > 0
        stored = np.where(opaque[:, :, None], stored[:, :, :_ALPHA], 0)
    if not _is_mask(stored):
        raise InvalidInput("mask-photograph", mask=str(path))
    level = stored if stored.ndim == 2 else stored.max(axis=2)  # noqa: PLR2004 - grey
    if opaque is not None and not level.any() and not opaque.all():
        # Black marks on a transparent ground.
        return opaque
    least = float(level.max()) / 2 if header.format in _LOSSY else 0.0
    marked: Marked = level <= least if marks == "zero" else level > least
    return marked


def require_size(mask: Marked, path: Path, image: Path, shape: tuple[int, ...]) -> None:
    """Check that a mask has the height and width of its image.

    Raises:
        InvalidInput: ``mask-size``.
    """
    if mask.shape != shape:
        raise InvalidInput("mask-size", mask=path.name, name=image.name)


def is_mostly_marked(mask: Marked) -> bool:
    """Return whether more than half of the pixels are marked, as in a mask in which the part is white."""
    return bool(mask.mean() > _MOSTLY)


def _is_mask(stored: NDArray[Any]) -> bool:
    """Return whether an image may be a mask: of few colours, or grey, 0 and nearly all pixels at two values."""
    if stored.ndim > 2:  # noqa: PLR2004 - colour
        if not (stored == stored[:, :, :1]).all():
            return len(np.unique(stored.reshape(-1, stored.shape[2]), axis=0)) <= _FEW_VALUES
        stored = stored[:, :, 0]
    values, counts = np.unique(stored, return_counts=True)
    if len(values) == 1:
        return True
    blended = 1 - (counts[0] + counts[-1]) / stored.size
    return bool(values[0] == 0 and (len(values) <= _FEW_VALUES or blended <= _MOST_BLENDED))
