"""The check that a finished model file scores as its training did, before anybody gets it."""

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


def probe_scores(store: FeatureStore, core: FittedModel, height: int, width: int) -> tuple[float, ...]:
    """Return the scores the training computes for the generated images of that size."""
    probes = (Picture.original(probe_image(number, height, width)) for number in range(PROBES))
    return tuple(store.score_picture(core, probe) for probe in probes)


def check_parity(
    store: FeatureStore,
    core: FittedModel,
    bundle: Bundle,
    training_set: TrainingSet,
    tracker: ProgressTracker,
    threads: int,
) -> float:
    """Score images by the finished file and by what the training computed; return the largest relative difference.

    Training images by half a turn are used beside the probes: a memory bank holds patches of the images themselves,
    whose distance is nought but for rounding, and says nothing.

    Raises:
        DoesNotFit: ``model-parity`` when it is above 1e-3 or a verdict flips.
    """
    finished = AnomalyModel(bundle, "model", threads or None)
    size = bundle.manifest.preprocessing
    expected = list(bundle.manifest.probes)
    found = [
        finished.score(probe_image(number, size.median_height, size.median_width)).score
        for number in range(len(expected))
    ]
    count = min(PARITY_IMAGES, len(training_set.files))
    for done, index in enumerate(np.linspace(0, len(training_set.files) - 1, count).astype(int).tolist()):
        turned = training_set.turned(index)
        # The model alone is checked: whatever its pixels show counts.
        expected.append(store.score_picture(core, replace(Picture.original(turned.pixels), resized=turned.resized)))
        across, down = turned.resized
        found.append(finished.score(turned.pixels, scale_x=across, scale_y=down).score)
        tracker.advance(1, "export", done + 1, count)
    parity = compare(expected, found, finished.threshold)
    if not parity.holds:
        raise DoesNotFit("model-parity", **parity.values())
    return parity.difference
