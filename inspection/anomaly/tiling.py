"""Tiles of a large network input, and the one map that their maps are joined to.

Tiles overlap, and each cell of the patch grid is taken from the one tile in which it lies farthest from the edges: the
network pads with zeros, so features next to the edge of a tile differ from those of the whole image. No cell is scored
twice, and the memory that the network takes is that of one tile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inspection.anomaly.network_area import OVERLAP
from inspection.anomaly.preparation import GRID, PATCH, NetworkInput
from inspection.runtime.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Span:
    """A tile along one axis.

    Attributes:
        pixels: of the network input that the tile covers.
        cells: of the patch grid that are taken from it.
        offset: first of these cells within the tile's own grid.
    """

    pixels: slice
    cells: slice
    offset: int

    @property
    def own_cells(self) -> slice:
        """The cells that are taken, within the tile's own grid."""
        return slice(self.offset, self.offset + self.cells.stop - self.cells.start)


def spans(length: int, tile: int) -> list[Span]:
    """Return the tiles along an axis: of equal size, evenly spaced, with every cell taken from exactly one.

    Args:
        length: of the axis in network pixels, a multiple of 32.
        tile: side of a tile, a multiple of 32 larger than ``OVERLAP``; 0 for one tile of the whole axis.
    """
    if tile == 0 or length <= tile:
        return [Span(slice(0, length), slice(0, length // PATCH), 0)]
    count = -(-(length - OVERLAP) // (tile - OVERLAP))
    # Multiples of the largest stride, so that tiles see the pixels in the same phase as the whole image does.
    starts = [index * (length - tile) // (count - 1) // GRID * GRID for index in range(count)]
    seams = [(after + before + tile) // 2 // PATCH for before, after in pairwise(starts)]
    bounds = [0, *seams, length // PATCH]
    return [
        Span(slice(start, start + tile), slice(low, high), low - start // PATCH)
        for start, (low, high) in zip(starts, pairwise(bounds), strict=True)
    ]


def tile_count(height: int, width: int, tile: int) -> int:
    """Return the number of tiles of a network input of ``height`` × ``width`` pixels."""
    return len(spans(height, tile)) * len(spans(width, tile))


def joined(prepared: NetworkInput, tile: int, infer: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Run a graph on every tile of an image and return the joined grid, float32 ``(h, w, D)`` or ``(h, w)``.

    Args:
        prepared: the image.
        tile: side of a tile; 0 for the whole image at once.
        infer: grid of one tile, ``(th, tw, D)`` or ``(th, tw)``, from its tensor ``(1, 3, H, W)``; its result need only
            be valid until the next call.
    """
    height, width = prepared.size
    rows, columns = spans(height, tile), spans(width, tile)
    if len(rows) == len(columns) == 1:
        return np.array(infer(prepared.tensor), np.float32, order="C")
    strips = [
        np.concatenate(
            [
                infer(prepared.tensor_of(row.pixels, column.pixels))[row.own_cells, column.own_cells].copy()
                for column in columns
            ],
            axis=1,
        )
        for row in rows
    ]
    return np.concatenate(strips)


def common_tile(size: tuple[int, int], tile: int) -> tuple[int, int]:
    """Return rows and columns of the tiles of a network input of ``size``."""
    height, width = (side if tile == 0 else min(side, tile) for side in size)
    return height, width


def tile_tensor(prepared: NetworkInput, tile: int, number: int) -> FloatArray:
    """Return the tensor of one tile of an image, float32 ``(1, 3, H, W)``; ``number`` counts round and round."""
    height, width = prepared.size
    places = [(row.pixels, column.pixels) for row in spans(height, tile) for column in spans(width, tile)]
    return prepared.tensor_of(*places[number % len(places)])
