"""Features of the training images, and scores of images by models that were fitted without them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inspection.anomaly.backbone.files import Backbone
from inspection.anomaly.features import FeatureExtractor
from inspection.anomaly.masking import MaskedLayout
from inspection.anomaly.methods.registry import FittedModel, Method
from inspection.anomaly.preparation import NetworkInput, choose_scale, prepare
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.training_set import TrainingSet
from inspection.imaging.picture import Picture
from inspection.runtime.arrays import FloatArray

# Features that are kept in memory (1 GB as float32); those of further images are computed again when needed.
_MAX_CACHED_VALUES = 256_000_000
# Patches a fit looks at; more add time and no knowledge, as the bank is far smaller.
_MAX_PATCHES = 200_000


class FeatureStore:
    """The patch features of one training's images, computed once; the ``PatchSource`` of its methods.

    Args:
        backbone: network the features come from.
        training_set: the images.
        tracker: told of the work done.
        seed: of the sampling.
        threads: processor threads; 0 takes the setting.

    Attributes:
        scale: network pixels per original pixel, one for all images.
        extractor: gives features; holds the feature graph.
    """

    def __init__(
        self, backbone: Backbone, training_set: TrainingSet, tracker: ProgressTracker, *, seed: int, threads: int
    ) -> None:
        self.scale = choose_scale(training_set.sizes)
        self.extractor = FeatureExtractor(backbone, threads)
        self._training_set = training_set
        self._tracker = tracker
        self._kept: dict[int, FloatArray] = {}
        self._extents: list[MaskedLayout] = []
        self._samples: list[FloatArray] = []
        self._extract(seed)

    def samples(self, index: int) -> FloatArray:
        """Return patches of an image, all or, of many images, as many as its share, float32 ``(n, D)``."""
        return self._samples[index]

    def grid(self, index: int) -> FloatArray:
        """Return all patches of an image in their places, float32 ``(h, w, D)``."""
        kept = self._kept.get(index)
        return self.features(self._training_set.picture(index))[0] if kept is None else kept

    def score(self, core: FittedModel, index: int) -> float:
        """Return the score of an image of the training by ``core``."""
        return score_features(core, self.grid(index), self._extents[index])

    def features(self, picture: Picture) -> tuple[FloatArray, MaskedLayout]:
        """Return the features of any picture over the patch grid, float32 ``(h, w, D)``, and where it lies there.

        Raises:
            DoesNotFit: ``image-scale``.
        """
        prepared = prepare_picture(picture, self.scale)
        return self.extractor.grid(prepared), MaskedLayout.of(picture, prepared)

    def score_picture(self, core: FittedModel, picture: Picture) -> float:
        """Return the score of any picture by ``core``, as the training computes it.

        Raises:
            DoesNotFit: ``image-scale``.
        """
        return score_features(core, *self.features(picture))

    def _extract(self, seed: int) -> None:
        count = len(self._training_set.files)
        share = max(1, _MAX_PATCHES // count)
        generator = np.random.default_rng(seed)
        held = 0
        for index in range(count):
            grid, extent = self.features(self._training_set.picture(index))
            self._extents.append(extent)
            patches = grid.reshape(-1, grid.shape[-1])
            if held + patches.size <= _MAX_CACHED_VALUES:
                self._kept[index] = grid
                held += patches.size
            if len(patches) > share:
                patches = patches[np.sort(generator.choice(len(patches), share, replace=False))]
            self._samples.append(patches)
            self._tracker.advance(1, "features", index + 1, count)


def prepare_picture(picture: Picture, scale: float) -> NetworkInput:
    """Return a picture as the network takes it; ``scale`` is in network pixels per pixel before it was resized.

    Raises:
        DoesNotFit: ``image-scale``.
    """
    across, down = picture.resized
    return prepare(picture.pixels, scale, scale_x=across, scale_y=down)


def score_features(core: FittedModel, grid: FloatArray, extent: MaskedLayout) -> float:
    """Return the score of an image from its features ``(h, w, D)``: the highest value of its map where it counts.

    Args:
        core: the fitted model.
        grid: the features.
        extent: where the image lies on the patch grid, and what of it counts.
    """
    return extent.score(core.map(grid.reshape(-1, grid.shape[-1]), (grid.shape[0], grid.shape[1])))


def held_out_scores(
    method: Method, store: FeatureStore, indices: Sequence[int], folds: int, seed: int, tracker: ProgressTracker
) -> list[float]:
    """Score every one of these images by a model that was fitted on the other folds.

    Args:
        method: fits the models.
        store: features of the images.
        indices: of the images; in this order the scores are returned.
        folds: parts the images are divided into, by chance.
        seed: of the division.
        tracker: told of the work done.
    """
    chosen = np.asarray(indices, np.int64)
    fold_of = np.random.default_rng(seed).permutation(len(chosen)) % folds
    scores = [0.0] * len(chosen)
    for fold in range(folds):
        core = method.fit(store, chosen[fold_of != fold].tolist(), tracker.check)
        for place in np.flatnonzero(fold_of == fold).tolist():
            tracker.check()
            scores[place] = store.score(core, int(chosen[place]))
        tracker.advance(len(chosen), "threshold", fold + 1, folds)
    return scores
