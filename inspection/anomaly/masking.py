"""Masking of anomaly maps: pixels that a pipeline ignores or had to fill in do not contribute to the score."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from inspection.anomaly.model import AnomalyModel, ScoredImage, resize_map
from inspection.anomaly.preparation import NetworkInput
from inspection.imaging.picture import Picture
from inspection.imaging.placement import FloatMap, Mask


def mask_score(score: float, heatmap: FloatMap, valid_mask: Mask | None) -> tuple[float, FloatMap]:
    """Return score and heatmap of the valid pixels alone.

    The score is scaled by the ratio of the heatmap's maximum after and before masking; when the maximum lies on a valid
    pixel it stays bit-identical.

    Args:
        score: of the whole picture.
        heatmap: float32 ``(H, W)`` over the picture.
        valid_mask: bool ``(H, W)``, see ``Picture.valid_mask``; None when all pixels are valid.
    """
    highest = float(heatmap.max())
    if valid_mask is None or highest <= 0:
        return score, heatmap
    masked = np.where(valid_mask, heatmap, np.float32(0))
    remaining = float(masked.max())
    return (score if remaining == highest else score * remaining / highest), masked


def score_picture(model: AnomalyModel, picture: Picture) -> ScoredImage:
    """Score the valid pixels of a picture from a pipeline; the heatmap covers the picture.

    Raises:
        DoesNotFit, InvalidInput: as ``AnomalyModel.score``.
    """
    across, down = picture.resized
    scored = model.score(picture.pixels, scale_x=across, scale_y=down)
    score, heatmap = mask_score(scored.score, scored.heatmap, picture.valid_mask())
    return ScoredImage(score, scored.threshold, heatmap)


@dataclass(frozen=True, slots=True)
class MaskedLayout:
    """Position of a picture on the patch grid and its valid mask, compact enough to keep for every image.

    Attributes:
        prepared: the picture's network input without its pixels, which are empty.
        shape: rows and columns of the picture.
        packed_mask: ``Picture.valid_mask`` as compressed bits; None when all pixels are valid.
    """

    prepared: NetworkInput
    shape: tuple[int, int]
    packed_mask: bytes | None

    @classmethod
    def of(cls, picture: Picture, prepared: NetworkInput) -> MaskedLayout:
        """Return the layout of ``picture``, from which ``prepared`` was made."""
        height, width = picture.pixels.shape[:2]
        valid_mask = picture.valid_mask()
        return cls(
            replace(prepared, padded=np.empty((0, 0, 3), np.uint8)),
            (height, width),
            None if valid_mask is None else zlib.compress(np.packbits(valid_mask).tobytes(), 1),
        )

    def score(self, grid: FloatMap) -> float:
        """Return the masked score of the picture from its map over the patch grid, float32 ``(h, w)``."""
        highest = float(grid[self.prepared.cells()].max())
        if self.packed_mask is None:
            return highest
        height, width = self.shape
        bits = np.frombuffer(zlib.decompress(self.packed_mask), np.uint8)
        valid_mask = np.unpackbits(bits, count=height * width).reshape(height, width).astype(np.bool_)
        score, _ = mask_score(highest, resize_map(grid, self.prepared, height, width), valid_mask)
        return score
