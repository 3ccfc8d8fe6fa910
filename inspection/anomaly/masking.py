"""What of an anomaly map counts: not what a pipeline's steps ignore, nor what they had to make up."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from inspection.anomaly.model import AnomalyModel, ScoredImage, resize_map
from inspection.anomaly.preparation import NetworkInput
from inspection.imaging.picture import Picture
from inspection.imaging.placement import FloatMap, Mask


def mask_score(score: float, heatmap: FloatMap, counting: Mask | None) -> tuple[float, FloatMap]:
    """Return score and heatmap of what counts in a picture alone.

    The score is the model's, brought down as far as the heatmap's highest point goes down when what is ignored is
    taken away; with the highest point elsewhere it stays what it was to the last digit.

    Args:
        score: of the whole picture.
        heatmap: float32 ``(H, W)`` over the picture.
        counting: bool ``(H, W)``, as ``Picture.counting`` tells it; None when all counts.
    """
    highest = float(heatmap.max())
    if counting is None or highest <= 0:
        return score, heatmap
    left = np.where(counting, heatmap, np.float32(0))
    remaining = float(left.max())
    return (score if remaining == highest else score * remaining / highest), left


def score_picture(model: AnomalyModel, picture: Picture) -> ScoredImage:
    """Return what a model says of what counts in a picture that steps of a pipeline gave; the heatmap lies over it.

    Raises:
        DoesNotFit, InvalidInput: as ``AnomalyModel.score``.
    """
    across, down = picture.resized
    scored = model.score(picture.pixels, scale_x=across, scale_y=down)
    score, heatmap = mask_score(scored.score, scored.heatmap, picture.valid_mask())
    return ScoredImage(score, scored.threshold, heatmap)


@dataclass(frozen=True, slots=True)
class MaskedLayout:
    """Where a picture lies on the patch grid and what of it counts, small enough to be kept for every image.

    Attributes:
        prepared: how it was prepared; its tensor is empty.
        shape: rows and columns of the picture.
        counting: bits of the mask of ``Picture.counting``, packed; None when all counts.
    """

    prepared: NetworkInput
    shape: tuple[int, int]
    counting: bytes | None

    @classmethod
    def of(cls, picture: Picture, prepared: NetworkInput) -> MaskedLayout:
        """Return the extent of ``picture``, which ``prepared`` was made of."""
        height, width = picture.pixels.shape[:2]
        counting = picture.valid_mask()
        return cls(
            replace(prepared, tensor=np.empty((1, 3, 0, 0), np.float32)),
            (height, width),
            None if counting is None else zlib.compress(np.packbits(counting).tobytes(), 1),
        )

    def score(self, grid: FloatMap) -> float:
        """Return the score of the picture from its map over the patch grid, float32 ``(h, w)``, as ``anomaly`` does."""
        highest = float(grid[self.prepared.cells()].max())
        if self.counting is None:
            return highest
        height, width = self.shape
        bits = np.frombuffer(zlib.decompress(self.counting), np.uint8)
        counting = np.unpackbits(bits, count=height * width).reshape(height, width).astype(np.bool_)
        score, _ = mask_score(highest, resize_map(grid, self.prepared, height, width), counting)
        return score
