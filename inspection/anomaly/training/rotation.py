"""The choice of turned copies in the memory bank, for parts that lie in any orientation.

It is made from the good images: turned copies are kept where they separate drawn defects from held-out good images
better, by more than chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.drawn_defects import DEFECTS, with_drawn_defect
from inspection.anomaly.manifest import RotationRecord
from inspection.anomaly.methods.registry import Method
from inspection.anomaly.network_input import shrunk_for
from inspection.anomaly.training.fitting import FeatureStore, score_features
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.settings import RotationName
from inspection.anomaly.training.training_set import TrainingSet
from inspection.anomaly.training.turned_copies import TurnedPatches
from inspection.imaging.picture import Picture
from inspection.metrics import image_auroc
from models.errors import DoesNotFit

ROTATIONS = 12
"""Copies of an image, evenly spaced over 360°, itself included."""
MOST_COMPARED = 40
"""Good images that the comparison is made on: half of them to fit and half held out, in turn."""
LEAST_COMPARED = 10
_DRAWN = 2
# Work units of a held-out image: its drawn defects, and its share of two fits.
_COMPARED_WORK = _DRAWN + 2.0
# Standard errors by which a gain exceeds chance, one-sided at 5 %.
_ONE_SIDED = 1.645
_TINY = 1e-9


def chosen_rotation(
    rotation: RotationName,
    method: Method,
    store: FeatureStore,
    training_set: TrainingSet,
    seed: int,
    tracker: ProgressTracker,
) -> RotationRecord:
    """Return how good parts lie: as given, or found out from the good images.

    Args:
        rotation: of the settings.
        method: fits the models.
        store: features of the images.
        training_set: the images.
        seed: of the comparison.
        tracker: advanced by the work.

    Raises:
        DoesNotFit: ``rotation-needs-patches`` for ``any`` and a method that compares images position by position.
        UnreadableImage, TrainingCancelled: as ``compare_rotation``.
    """
    if rotation == "any" and method.aligned:
        raise DoesNotFit("rotation-needs-patches", method=method.name)
    if rotation == "any":
        return RotationRecord(rotations=ROTATIONS, measured=False)
    if rotation == "fixed" or method.aligned:
        return RotationRecord(rotations=1, measured=False)
    return compare_rotation(method, store, training_set, seed, tracker)


def compare_rotation(
    method: Method, store: FeatureStore, training_set: TrainingSet, seed: int, tracker: ProgressTracker
) -> RotationRecord:
    """Return whether turned copies serve these images, and how much.

    Args:
        method: fits the models.
        store: features of the images.
        training_set: the images.
        seed: of the choice of images and of the drawn defects.
        tracker: advanced by the work.

    Raises:
        UnreadableImage: ``image-changed`` and the like when an image was changed or removed in the meantime.
        TrainingCancelled: when the training was cancelled.
    """
    count = min(MOST_COMPARED, len(training_set.files))
    if count < LEAST_COMPARED:
        return RotationRecord(rotations=1, measured=False)
    chosen = np.random.default_rng(seed).permutation(len(training_set.files))[:count]
    halves = [np.sort(half).tolist() for half in (chosen[: count // 2], chosen[count // 2 :])]
    turned_patches = TurnedPatches(store, training_set, ROTATIONS, seed, tracker, count, "turning")
    fixed, free = _Scores(), _Scores()
    for fitted_on, held_out in (halves, halves[::-1]):
        models = [method.fit(source, fitted_on, tracker.check) for source in (store, turned_patches)]
        for number, index in enumerate(held_out):
            for scores, fitted in zip((fixed, free), models, strict=True):
                scores.good.append(store.score(fitted, index))
            for picture in _with_defects(training_set, store, number, index, seed):
                grid, layout = store.features(picture)
                for scores, fitted in zip((fixed, free), models, strict=True):
                    scores.drawn.append(score_features(fitted, grid, layout))
            tracker.advance(_COMPARED_WORK, "rotation", len(fixed.good), count)
    change = fmean(
        math.log(max(after, _TINY) / max(before, _TINY)) for before, after in zip(fixed.good, free.good, strict=True)
    )
    gain, error = separation_gain(fixed.good, fixed.drawn, free.good, free.drawn)
    return RotationRecord(
        rotations=ROTATIONS if gain > _ONE_SIDED * error and gain > 0 else 1,
        measured=True,
        good_change=math.expm1(change),
        separation_fixed=image_auroc(fixed.good, fixed.drawn),
        separation_turned=image_auroc(free.good, free.drawn),
    )


def separation_gain(
    good: Sequence[float], defects: Sequence[float], good_after: Sequence[float], defects_after: Sequence[float]
) -> tuple[float, float]:
    """Return by how much the AUROC grows from one scoring of the same images to another, and its standard error.

    DeLong, DeLong and Clarke-Pearson (1988).
    """
    by_good, by_defect = (
        after - before
        for before, after in zip(_placements(good, defects), _placements(good_after, defects_after), strict=True)
    )
    variance = float(by_good.var(ddof=1)) / len(by_good) + float(by_defect.var(ddof=1)) / len(by_defect)
    return float(by_good.mean()), math.sqrt(variance)


def _placements(good: Sequence[float], defects: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of defects above each good score, and the share of good scores below each defect."""
    below, above = np.asarray(good)[:, None], np.asarray(defects)[None]
    wins = (above > below) + 0.5 * (above == below)
    return wins.mean(axis=1), wins.mean(axis=0)


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores of held-out good images, and of defects drawn on them."""

    good: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)


def _with_defects(
    training_set: TrainingSet, store: FeatureStore, number: int, index: int, seed: int
) -> Iterator[Picture]:
    """Yield an image some times, with another defect drawn on it each time; one is in memory at a time."""
    picture = shrunk_for(training_set.picture(index), store.preprocessing)
    for copy in range(_DRAWN):
        generator = np.random.default_rng([seed, index, copy])
        defect = DEFECTS[(_DRAWN * number + copy) % len(DEFECTS)]
        yield with_drawn_defect(picture, defect, generator)


@dataclass(frozen=True, slots=True)
class RotationWork:
    """Work units of turned copies.

    Attributes:
        comparison: of finding out whether they serve the parts; 0 where that is given.
        copies: of the turned copies of all images; not done where they do not serve.
        decoded: how many times an image is decoded for both; it is shrunk once and all its copies come from that.
        extracted: how many feature extractions of a shrunk image both take.
    """

    comparison: float
    copies: float
    decoded: int = 0
    extracted: int = 0


def rotation_work(rotation: RotationName, method: Method, images: int) -> RotationWork:
    """Return the most work units that turned copies of ``images`` images take; one is a feature extraction."""
    if rotation == "fixed" or method.aligned:
        return RotationWork(0.0, 0.0)
    turned_copies = images * (ROTATIONS - 1)
    if rotation == "any":
        return RotationWork(0.0, float(turned_copies), images, turned_copies)
    compared = min(MOST_COMPARED, images)
    if compared < LEAST_COMPARED:
        return RotationWork(0.0, 0.0)
    return RotationWork(
        compared * (ROTATIONS - 1 + _COMPARED_WORK),
        float(turned_copies),
        # An image that is compared is decoded for its turned copies, and for its drawn defects.
        images + 2 * compared,
        turned_copies + compared * (ROTATIONS - 1 + _DRAWN),
    )
