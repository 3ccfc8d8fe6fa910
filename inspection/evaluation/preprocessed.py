"""Evaluating an anomaly model on images preprocessed by the steps before it."""

from __future__ import annotations

from dataclasses import dataclass

from inspection.anomaly.masking import score_picture
from inspection.anomaly.model import AnomalyModel, ScoredImage
from inspection.anomaly.preprocessing import ImagePreprocessor
from inspection.imaging.frames import Pixels


@dataclass(frozen=True, slots=True)
class PreprocessedModel:
    """Scores images as the step ``anomaly`` does after the steps before it; a ``ScoringModel``.

    Args:
        model: the model.
        preprocessor: the steps before the model.
    """

    model: AnomalyModel
    preprocessor: ImagePreprocessor

    @property
    def name(self) -> str:
        """Name of the model's file."""
        return self.model.name

    @property
    def digest(self) -> str:
        """SHA-256 of the model's file."""
        return self.model.digest

    @property
    def threshold(self) -> float:
        """The model's own."""
        return self.model.threshold

    def score(self, pixels: Pixels) -> ScoredImage:
        """Score an image; the heatmap lies over the image given, 0 for invalid pixels.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.

        Raises:
            DoesNotFit: when a step refuses the image, or as ``AnomalyModel.score``.
        """
        picture = self.preprocessor(pixels)
        scored = score_picture(self.model, picture)
        return ScoredImage(scored.score, scored.threshold, picture.placement.map_to_original(scored.heatmap))
