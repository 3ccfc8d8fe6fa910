"""The parity check of a finished model file against its training, before it is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inspection.anomaly.bundle import Bundle
from inspection.anomaly.export.parity import compare
from inspection.anomaly.export.probes import PROBES, probe_image
from inspection.anomaly.methods.registry import FittedModel
from inspection.anomaly.model import AnomalyModel
from inspection.anomaly.training.fitting import FeatureStore
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.training_set import TrainingSet
from inspection.imaging.picture import Picture
from models.errors import DoesNotFit

PARITY_IMAGES = 16
_LEAST_IMAGES = 2
_MOST_PIXELS = 48_000_000
"""Of all images together: a rounding error of a model appears in any image, and large ones take seconds each."""


def images_to_check(most: int, pixels: int) -> int:
    """Return how many images of so many pixels are scored: ``most``, fewer of large ones, at least two."""
    return min(most, max(_LEAST_IMAGES, _MOST_PIXELS // pixels))


def probe_scores(store: FeatureStore, fitted: FittedModel, height: int, width: int) -> tuple[float, ...]:
    """Return the scores of the probe images of that size, as the training computes them."""
    count = images_to_check(PROBES, height * width)
    probes = (Picture.original(probe_image(number, height, width)) for number in range(count))
    return tuple(store.score_picture(fitted, probe) for probe in probes)


def check_parity(
    store: FeatureStore,
    fitted: FittedModel,
    bundle: Bundle,
    training_set: TrainingSet,
    tracker: ProgressTracker,
    threads: int,
) -> float:
    """Return the largest relative difference between scores of the finished file and those of the training.

    Training images rotated by 180° are scored beside the probes: unrotated they are in the memory bank, and distances
    that are zero up to rounding compare nothing.

    Raises:
        DoesNotFit: ``model-parity`` when it exceeds 1e-3 or a verdict flips.
    """
    finished = AnomalyModel(bundle, "model", threads or None)
    size = bundle.manifest.preprocessing
    expected = list(bundle.manifest.probes)
    found = [
        finished.score(probe_image(number, size.median_height, size.median_width)).score
        for number in range(len(expected))
    ]
    most = images_to_check(PARITY_IMAGES, size.median_height * size.median_width)
    count = min(most, len(training_set.files))
    for done, index in enumerate(np.linspace(0, len(training_set.files) - 1, count).astype(int).tolist()):
        rotated = training_set.rotated(index)
        # Only the model is checked, so the valid mask is left out.
        expected.append(store.score_picture(fitted, replace(Picture.original(rotated.pixels), resized=rotated.resized)))
        across, down = rotated.resized
        found.append(finished.score(rotated.pixels, scale_x=across, scale_y=down).score)
        tracker.advance(1, "export", done + 1, count)
    parity = compare(expected, found, finished.threshold)
    if not parity.holds:
        raise DoesNotFit("model-parity", **parity.values())
    return parity.difference
