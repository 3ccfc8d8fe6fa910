"""Scores of defects drawn on held-out good images, by the models that have not seen these images."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from inspection.anomaly.drawn_defects import DEFECTS, with_drawn_defect
from inspection.anomaly.methods.registry import FittedModel
from inspection.anomaly.network_input import shrunk_for
from inspection.anomaly.training.fitting import FeatureStore
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.training_set import TrainingSet

MOST_DRAWN = 300
"""Further images get no defect: an AUROC hardly gains from more."""


@dataclass(slots=True)
class DrawnScores:
    """Draws a defect on each held-out image and scores it.

    Attributes:
        store: features of the images.
        training_set: the images.
        seed: of the drawing.
        tracker: advanced by each defect.
        scores: so far.
    """

    store: FeatureStore
    training_set: TrainingSet
    seed: int
    tracker: ProgressTracker
    scores: list[float] = field(default_factory=list)

    def add(self, fitted: FittedModel, index: int) -> None:
        """Score the image ``index`` with a drawn defect by a model fitted without it.

        Raises:
            UnreadableImage: ``image-changed`` and the like when the image was changed or removed in the meantime.
            TrainingCancelled: when the training was cancelled.
        """
        if len(self.scores) >= MOST_DRAWN:
            return
        # The same defect, whether a pipeline shrank the image or not.
        picture = shrunk_for(self.training_set.picture(index), self.store.preprocessing)
        generator = np.random.default_rng([self.seed, index])
        defect = DEFECTS[len(self.scores) % len(DEFECTS)]
        drawn = with_drawn_defect(picture, defect, generator)
        self.scores.append(self.store.score_picture(fitted, drawn))
        self.tracker.advance(1, "drawn", len(self.scores), min(len(self.training_set.files), MOST_DRAWN))
