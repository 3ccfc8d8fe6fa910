"""The patch features of turned copies of the good images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.methods.registry import PatchSource
from inspection.anomaly.network_input import shrunk_for
from inspection.anomaly.preparation import PATCH, NetworkInput
from inspection.anomaly.training.fitting import FeatureStore
from inspection.anomaly.training.progress import ProgressTracker, Stage
from inspection.anomaly.training.training_set import TrainingSet
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.placement import Mask
from inspection.runtime.arrays import FloatArray

# Margin in network pixels around what was filled in: the features of nearby cells see it.
_MARGIN = 16


class TurnedPatches:
    """The patch features of good images and of their turned copies; a ``PatchSource``.

    Args:
        store: features of the images as they are.
        training_set: the images.
        rotations: copies of each image, itself included.
        seed: of the sampling.
        tracker: advanced by each image.
        total: number of images that are asked for.
        stage: of the training that counts them.
    """

    def __init__(
        self,
        store: FeatureStore,
        training_set: TrainingSet,
        rotations: int,
        seed: int,
        tracker: ProgressTracker,
        total: int,
        stage: Stage,
    ) -> None:
        self._store = store
        self._training_set = training_set
        self._rotations = rotations
        self._seed = seed
        self._tracker = tracker
        self._total = total
        self._stage: Stage = stage
        self._samples: dict[int, FloatArray] = {}

    def samples(self, index: int) -> FloatArray:
        """Return patches of an image and of its copies, float32 ``(n, D)``; of each copy an equal share."""
        if index not in self._samples:
            self._samples[index] = self._computed(index)
            self._tracker.advance(self._rotations - 1, self._stage, len(self._samples), self._total)
        return self._samples[index]

    def grid(self, index: int) -> FloatArray:
        """Return all patches of an image as it is, float32 ``(h, w, D)``."""
        return self._store.grid(index)

    def _computed(self, index: int) -> FloatArray:
        generator = np.random.default_rng([self._seed, index])
        share = max(1, self._store.patches_per_image // self._rotations)
        picture = shrunk_for(self._training_set.picture(index), self._store.preprocessing)
        parts = [_some(self._store.samples(index), share, generator)]
        for step in range(1, self._rotations):
            copy, valid = turned(picture, 360.0 * step / self._rotations)
            prepared, grid = self._store.prepared_grid(copy)
            parts.append(_some(grid[valid_cells(valid, prepared)], share, generator))
        return np.concatenate(parts)


def turned_or_upright(
    rotations: int, store: FeatureStore, training_set: TrainingSet, seed: int, tracker: ProgressTracker
) -> PatchSource:
    """Return the patches that a model of all images is fitted on: with turned copies where there are ``rotations``."""
    if rotations == 1:
        return store
    return TurnedPatches(store, training_set, rotations, seed, tracker, len(training_set.files), "copies")


def _some(patches: FloatArray, most: int, generator: np.random.Generator) -> FloatArray:
    if len(patches) <= most:
        return patches
    return patches[np.sort(generator.choice(len(patches), most, replace=False))]


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
