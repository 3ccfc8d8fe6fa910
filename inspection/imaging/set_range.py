"""The range of values that a set of deep images uses: given, declared by its files, or found from all of its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspection.imaging.decoding import declared_range, stored_values
from inspection.imaging.files import DEFAULT_LIMITS, ImageLimits, read_image_bytes, require_image
from inspection.imaging.formats import image_format
from inspection.imaging.value_range import ValueRange
from models.errors import InvalidInput, UnreadableImage

_MAY_BE_DEEP = frozenset({"png", "tiff", "netpbm"})
_HEAD = 32
_PNG_BITS = 24
_PNG_DEEP = 16


@dataclass(frozen=True, slots=True)
class SetRange:
    """The range that the deep images of a set use.

    Attributes:
        values: the range; None where neither the files nor their values determine it, so that it has to be given.
        images: how many images are deeper than 8 bits.
        largest: largest value where the range was found from the values; None where it was given or declared.
    """

    values: ValueRange | None
    images: int
    largest: int | None = None


def range_of_set(
    paths: Sequence[Path], given: ValueRange | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> SetRange | None:
    """Return the range that the deep images among ``paths`` use; None when all have 8 bits.

    Images of 8 bits cost a few bytes each. Files that cannot be read are left to whoever reads them.

    Args:
        paths: image files.
        given: the range, where it is known.
        limits: for each file.

    Raises:
        InvalidInput: ``images-depths-differ`` when files declare different ranges.
    """
    declared: dict[ValueRange, str] = {}
    largest, deep = 0, 0
    for path in paths:
        try:
            if not _may_be_deep(path):
                continue
            data = read_image_bytes(path, limits=limits)
            header = require_image(data, name=path.name, limits=limits)
            if header.bits <= 8 and header.samples == "uint":  # noqa: PLR2004
                continue
            deep += 1
            if given is not None:
                continue
            values = stored_values(data, header, name=path.name)
            found = declared_range(values, header, name=path.name)
        except UnreadableImage:
            continue
        if found is not None and values.any():
            declared.setdefault(found, path.name)
        elif found is None and values.dtype == np.uint16:
            largest = max(largest, int(values.max()))
    if not deep:
        return None
    if given is not None:
        return SetRange(given, deep)
    if not declared:
        return SetRange(ValueRange.holding(largest) if largest else None, deep, largest or None)
    if len(declared) == 1:
        (only,) = declared
        if largest <= only.high:
            return SetRange(only, deep)
        declared[ValueRange.holding(largest)] = "…"
    ranges = ", ".join(f"{found} ({name})" for found, name in declared.items())
    raise InvalidInput("images-depths-differ", ranges=ranges)


def _may_be_deep(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    kind = image_format(head)
    if kind == "png":
        return head[_PNG_BITS : _PNG_BITS + 1] == bytes([_PNG_DEEP])
    return kind in _MAY_BE_DEEP
