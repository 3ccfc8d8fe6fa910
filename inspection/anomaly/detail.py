"""Detail of a model: how large the network sees the images, from which follow time, memory and the smallest defect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from inspection.anomaly.network_area import LARGEST_SIDE, STANDARD_SIDE, TILE_SIDE
from inspection.anomaly.preparation import WORKING_SIDE, choose_scale, median_area, tensor_size, working_size
from inspection.anomaly.tiling import tile_count
from models.errors import DoesNotFit

DetailName = Literal["fast", "standard", "fine", "finest"]
DETAILS: tuple[DetailName, ...] = get_args(DetailName)
DEFAULT_DETAIL: DetailName = "standard"
# Side in network pixels of a defect that is found in most places of a textured surface.
_SMALLEST_DEFECT = 14
_FAST_SIDE = 224
_SIDES = {"fine": 576, "finest": LARGEST_SIDE}
# A detail is named as a finer one where it shows the images larger by a quarter: less is not worth its time.
_CLEARLY_LARGER = 1.25
# Of a longer side, the image would be shrunk to the working size before it is scaled.
_LONGEST_WHOLE = WORKING_SIDE


@dataclass(frozen=True, slots=True)
class NetworkArea:
    """How a model sees its images.

    Attributes:
        side: of the square of the median area, in network pixels.
        scale: network pixels per original pixel.
        height: rows of the median image's network input, with padding.
        width: its columns.
        tile: side of the tiles the network is given; 0 for whole images.
    """

    side: int
    scale: float
    height: int
    width: int
    tile: int

    @property
    def tiles(self) -> int:
        """The number of tiles of a median image."""
        return tile_count(self.height, self.width, self.tile)

    @property
    def smallest_defect(self) -> int:
        """About the side of the smallest defect that is found, in original pixels."""
        return smallest_defect(self.scale)


@dataclass(frozen=True, slots=True)
class FinerDetail:
    """A detail that shows images larger than a model sees them.

    Attributes:
        detail: its name.
        smallest_defect: about the side of the smallest defect that is found, in original pixels.
    """

    detail: DetailName
    smallest_defect: int


def smallest_defect(scale: float) -> int:
    """Return about the side of the smallest defect that is found, in original pixels.

    Args:
        scale: network pixels per original pixel.
    """
    return max(1, math.ceil(_SMALLEST_DEFECT / scale))


def finer_detail(
    side: int, sizes: Sequence[tuple[int, int]], given_sizes: Sequence[tuple[int, int]], *, aligned: bool = False
) -> FinerDetail | None:
    """Return the next detail that shows images clearly larger; None when none does.

    Args:
        side: of the square of the median network input of the model, in network pixels.
        sizes: height and width of every image, in original pixels.
        given_sizes: the same as the model is given them.
        aligned: see ``network_area``.
    """
    for detail in DETAILS:
        finer = detail_side(detail, STANDARD_SIDE, given_sizes)
        if finer >= _CLEARLY_LARGER * side:
            try:
                return FinerDetail(detail, network_area(sizes, finer, aligned=aligned).smallest_defect)
            except DoesNotFit:
                return None
    return None


def detail_side(detail: DetailName, standard: int, sizes: Sequence[tuple[int, int]]) -> int:
    """Return the side of the square of the median network input, in network pixels.

    More than standard detail never enlarges the images: that costs time and shows the network nothing more.

    Args:
        detail: chosen by the person.
        standard: side at standard detail.
        sizes: height and width of the images as the model is given them.
    """
    if detail == "standard":
        return standard
    if detail == "fast":
        return min(_FAST_SIDE, standard)
    return max(standard, min(_SIDES[detail], round(math.sqrt(median_area(sizes)))))


def network_area(sizes: Sequence[tuple[int, int]], side: int, *, aligned: bool = False) -> NetworkArea:
    """Return how images of these sizes are seen.

    Args:
        sizes: height and width of every image, in original pixels.
        side: of the square of the median network input, in network pixels.
        aligned: whether the method compares images position by position, and so cannot work on tiles.

    Raises:
        DoesNotFit: ``detail-needs-tiles`` when the network cannot be given whole images of that area.
    """
    scale = choose_scale(sizes, side)
    heights, widths = (sorted(values)[len(values) // 2] for values in zip(*sizes, strict=True))
    height, width = tensor_size(*working_size(heights, widths, scale))
    tiled = max(height, width) > _LONGEST_WHOLE and side > STANDARD_SIDE
    if tiled and aligned:
        raise DoesNotFit("detail-needs-tiles", side=side)
    return NetworkArea(side, scale, height, width, TILE_SIDE if tiled else 0)
