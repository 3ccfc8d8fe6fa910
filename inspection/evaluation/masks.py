"""Masks: which pixels of an image are defective, as a person marked them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.images import read_image
from models.errors import InvalidInput


def read_mask(masks: Path, image: Path, root: Path, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Return the mask of an image, True where the defect is; None when there is none.

    Args:
        masks: folder of the masks.
        image: the image file.
        root: folder the image's relative name begins at.
        shape: height and width of the image.

    Raises:
        InvalidInput: ``mask-size``.
        UnreadableImage: when the mask itself is damaged.
    """
    place = (masks / image.relative_to(root)).parent
    for name in (f"{image.stem}.png", f"{image.stem}_mask.png"):
        if (place / name).is_file():
            mask = read_image(place / name, mode="grey")
            if mask.shape != shape:
                raise InvalidInput("mask-size", mask=name, name=image.name)
            defective: NDArray[np.bool_] = mask > 0
            return defective
    return None
