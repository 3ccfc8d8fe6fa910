"""Turned copies of the good images in the memory bank, for parts that lie in any orientation.

Whether that serves the parts is found out from the good images: turned copies are kept where drawn defects are told
from held-out good images better with them, by more than chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.drawn_defects import DEFECTS, draw_defect
from inspection.anomaly.manifest import RotationRecord
from inspection.anomaly.methods.registry import FittedModel, Method
from inspection.anomaly.preparation import PATCH, NetworkInput
from inspection.anomaly.training.fitting import FeatureStore
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.settings import RotationName
from inspection.anomaly.training.training_set import TrainingSet
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import Mask
from inspection.metrics import image_auroc
from inspection.runtime.arrays import FloatArray
from models.errors import DoesNotFit

ROTATIONS = 12
"""Copies of an image, evenly spaced over 360°, itself included."""
MOST_COMPARED = 40
"""Good images that the comparison is made on: half of them to fit and half held out, in turn."""
LEAST_COMPARED = 10
_DRAWN = 2
# Standard errors by which a gain exceeds chance, one-sided at 5 %.
_ONE_SIDED = 1.645
# Margin in network pixels around what was filled in: the features of nearby cells see it.
_MARGIN = 16
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
    turned_patches = TurnedPatches(store, training_set, ROTATIONS, seed, tracker, count)
    fixed, free = _Scores([], []), _Scores([], [])
    for fitted_on, held_out in (halves, halves[::-1]):
        drawn = _with_defects(training_set, held_out, seed)
        for scores, source in ((fixed, store), (free, turned_patches)):
            scores.add(method.fit(source, fitted_on, tracker.check), store, held_out, drawn)
            tracker.advance(3.0 * len(held_out), "features", count, count)
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
    """Scores of held-out good images and of defects drawn on them."""

    good: list[float]
    drawn: list[float]

    def add(self, fitted: FittedModel, store: FeatureStore, held_out: Sequence[int], drawn: Sequence[Picture]) -> None:
        self.good.extend(store.score(fitted, index) for index in held_out)
        self.drawn.extend(store.score_picture(fitted, picture) for picture in drawn)


def _with_defects(training_set: TrainingSet, held_out: Sequence[int], seed: int) -> list[Picture]:
    """Return each image twice, with another defect drawn on it each time."""
    pictures = []
    for number, index in enumerate(held_out):
        picture = training_set.picture(index)
        for copy in range(_DRAWN):
            generator = np.random.default_rng([seed, index, copy])
            defect = DEFECTS[(_DRAWN * number + copy) % len(DEFECTS)]
            pictures.append(picture.with_pixels(draw_defect(picture.pixels, defect, generator)))
    return pictures


class TurnedPatches:
    """The patch features of good images and of their turned copies; a ``PatchSource``.

    Args:
        store: features of the images as they are.
        training_set: the images.
        rotations: copies of each image, itself included.
        seed: of the sampling.
        tracker: advanced by each image.
        total: number of images that are asked for.
    """

    def __init__(
        self,
        store: FeatureStore,
        training_set: TrainingSet,
        rotations: int,
        seed: int,
        tracker: ProgressTracker,
        total: int,
    ) -> None:
        self._store = store
        self._training_set = training_set
        self._rotations = rotations
        self._seed = seed
        self._tracker = tracker
        self._total = total
        self._samples: dict[int, FloatArray] = {}

    def samples(self, index: int) -> FloatArray:
        """Return patches of an image and of its copies, float32 ``(n, D)``; of each copy an equal share."""
        if index not in self._samples:
            self._samples[index] = self._computed(index)
            self._tracker.advance(self._rotations - 1, "features", len(self._samples), self._total)
        return self._samples[index]

    def grid(self, index: int) -> FloatArray:
        """Return all patches of an image as it is, float32 ``(h, w, D)``."""
        return self._store.grid(index)

    def _computed(self, index: int) -> FloatArray:
        generator = np.random.default_rng([self._seed, index])
        share = max(1, self._store.patches_per_image // self._rotations)
        picture = self._training_set.picture(index)
        parts = [_some(self._store.samples(index), share, generator)]
        for step in range(1, self._rotations):
            copy, valid = turned(picture, 360.0 * step / self._rotations)
            prepared, grid = self._store.prepared_grid(copy)
            parts.append(_some(grid[valid_cells(valid, prepared)], share, generator))
        return np.concatenate(parts)


def _some(patches: FloatArray, most: int, generator: np.random.Generator) -> FloatArray:
    if len(patches) <= most:
        return patches
    return patches[np.sort(generator.choice(len(patches), most, replace=False))]


def turning_work(images: int) -> float:
    """Return the most work units of turned copies: those of the comparison, and those of all images."""
    compared = min(MOST_COMPARED, images)
    return compared * (ROTATIONS - 1.0) + 6.0 * compared + images * (ROTATIONS - 1.0)


def turned(picture: Picture, angle: float) -> tuple[Picture, Mask]:
    """Return a picture turned about its centre, and which of its pixels come from the image, bool ``(H, W)``.

    What the turned image does not cover is filled with its reflection.

    Args:
        picture: the picture; masked pixels count as not from the image.
        angle: counter-clockwise, in degrees.
    """
    height, width = picture.pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    pixels = cv2.warpAffine(
        picture.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    masked = picture.valid_mask()
    source = np.ones((height, width), np.uint8) if masked is None else masked.astype(np.uint8)
    valid = cv2.warpAffine(
        source, matrix, (width, height), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    return picture.with_pixels(pixels.astype(np.uint8, copy=False)), valid.astype(np.bool_)


def valid_cells(valid: Mask, prepared: NetworkInput) -> NDArray[np.bool_]:
    """Return the cells of the patch grid that see only valid pixels, bool ``(h, w)``.

    Args:
        valid: bool ``(H, W)`` over the picture.
        prepared: the network input of the picture.
    """
    height, width = prepared.size
    seen = np.full((height, width), 255, np.uint8)
    inside = cv2.resize(valid.astype(np.uint8) * 255, (prepared.width, prepared.height), interpolation=cv2.INTER_AREA)
    seen[prepared.top : prepared.top + prepared.height, prepared.left : prepared.left + prepared.width] = inside
    eroded = cv2.erode(seen, np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8))
    cells = eroded.reshape(height // PATCH, PATCH, width // PATCH, PATCH).min(axis=(1, 3))
    return np.asarray(cells == np.uint8(255), np.bool_)
