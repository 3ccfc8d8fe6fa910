"""Features of the training images, and cross-validated scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.backbone.files import Backbone
from inspection.anomaly.features import FeatureExtractor
from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.masking import MaskedLayout
from inspection.anomaly.methods.registry import FittedModel, Method, PatchSource
from inspection.anomaly.network_input import prepare_picture
from inspection.anomaly.preparation import NetworkInput
from inspection.anomaly.training.near_duplicates import COARSE_CELLS, coarse_means, grouped_folds
from inspection.anomaly.training.progress import ProgressTracker
from inspection.anomaly.training.training_set import TrainingSet
from inspection.imaging.picture import Picture
from inspection.runtime.arrays import FloatArray

# Features and descriptors in memory (1 GB as float32); features of further images are recomputed when needed.
_MAX_CACHED_VALUES = 256_000_000
# Patches per fit; more cost time without a gain, as the memory bank is far smaller.
MOST_PATCHES = 200_000


class FeatureStore:
    """The patch features of a training set, computed once; a ``PatchSource``.

    Args:
        backbone: network that computes the features.
        training_set: the images.
        preprocessing: of the model.
        tracker: advanced by each image.
        seed: of the sampling.
        threads: number of CPU threads; 0 takes the setting.
        described: whether descriptors are needed.

    Attributes:
        preprocessing: common to all images.
        extractor: computes features; owns the feature graph.
        patches_per_image: most patches of an image that a fit is given.
    """

    def __init__(
        self,
        backbone: Backbone,
        training_set: TrainingSet,
        preprocessing: Preprocessing,
        tracker: ProgressTracker,
        *,
        seed: int,
        threads: int,
        described: bool,
    ) -> None:
        self.preprocessing = preprocessing
        self.extractor = FeatureExtractor(backbone, threads)
        self._training_set = training_set
        self._tracker = tracker
        self._cached: dict[int, FloatArray] = {}
        self._layouts: list[MaskedLayout] = []
        self._samples: list[FloatArray] = []
        self._descriptors: list[FloatArray] = []
        self.patches_per_image = max(1, MOST_PATCHES // len(training_set.files))
        self._extract(seed, described=described)

    def samples(self, index: int) -> FloatArray:
        """Return the patches of an image, float32 ``(n, D)``; a random sample when the training set is large."""
        return self._samples[index]

    def descriptor(self, index: int) -> FloatArray:
        """Return the coarse means of an image, float32 ``(16, D)``; only of a store that was to be ``described``."""
        return self._descriptors[index]

    def grid(self, index: int) -> FloatArray:
        """Return all patches of an image on the patch grid, float32 ``(h, w, D)``."""
        cached = self._cached.get(index)
        return self.features(self._training_set.picture(index))[0] if cached is None else cached

    def score(self, fitted: FittedModel, index: int) -> float:
        """Return the score of a training image by ``fitted``."""
        return score_features(fitted, self.grid(index), self._layouts[index])

    def features(self, picture: Picture) -> tuple[FloatArray, MaskedLayout]:
        """Return the features of any picture on the patch grid, float32 ``(h, w, D)``, and its layout there.

        Raises:
            DoesNotFit: ``image-scale``.
        """
        prepared, grid = self.prepared_grid(picture)
        return grid, MaskedLayout.of(picture, prepared)

    def prepared_grid(self, picture: Picture) -> tuple[NetworkInput, FloatArray]:
        """Return the network input of any picture, and its features on the patch grid, float32 ``(h, w, D)``.

        Raises:
            DoesNotFit: ``image-scale``.
        """
        prepared = prepare_picture(picture, self.preprocessing)
        return prepared, self.extractor.grid(prepared, self.preprocessing.tile)

    def score_picture(self, fitted: FittedModel, picture: Picture) -> float:
        """Return the score of any picture by ``fitted``, as the training computes scores.

        Raises:
            DoesNotFit: ``image-scale``.
        """
        return score_features(fitted, *self.features(picture))

    def _extract(self, seed: int, *, described: bool) -> None:
        count = len(self._training_set.files)
        share = self.patches_per_image
        generator = np.random.default_rng(seed)
        cached_values = 0
        for index in range(count):
            grid, layout = self.features(self._training_set.picture(index))
            self._layouts.append(layout)
            if described:
                self._descriptors.append(coarse_means(grid[layout.prepared.cells()]))
            patches = grid.reshape(-1, grid.shape[-1])
            reserved = count * COARSE_CELLS * grid.shape[-1] if described else 0
            if cached_values + patches.size + reserved <= _MAX_CACHED_VALUES:
                self._cached[index] = grid
                cached_values += patches.size
            if len(patches) > share:
                patches = patches[np.sort(generator.choice(len(patches), share, replace=False))]
            self._samples.append(patches)
            self._tracker.advance(1, "features", index + 1, count)


def score_features(fitted: FittedModel, grid: FloatArray, layout: MaskedLayout) -> float:
    """Return the score of an image: the maximum of its anomaly map over valid pixels.

    Args:
        fitted: the fitted model.
        grid: patch features, float32 ``(h, w, D)``.
        layout: position and valid mask of the image on the patch grid.
    """
    return layout.score(fitted.map(grid.reshape(-1, grid.shape[-1]), (grid.shape[0], grid.shape[1])))


def held_out_scores(
    method: Method,
    store: FeatureStore,
    indices: Sequence[int],
    groups: NDArray[np.int64],
    folds: int,
    seed: int,
    tracker: ProgressTracker,
    source: PatchSource | None = None,
    on_held_out: Callable[[FittedModel, int], None] = lambda _fitted, _index: None,
) -> list[float]:
    """Return the score of each image by a model fitted on the other folds (grouped k-fold cross-validation).

    Args:
        method: fits the models.
        store: features of the images.
        indices: of the images; scores are returned in this order.
        groups: of near-duplicate images, numbered from 0; all images of a group are in one fold.
        folds: most folds; no more than groups are used.
        seed: of the random assignment to folds.
        tracker: advanced by each fold; its total counts ``folds``, and is reduced where fewer are used.
        source: patches that the models are fitted on; None takes those of ``store``.
        on_held_out: called with each image and the model fitted without it.
    """
    selected = np.asarray(indices, np.int64)
    fold_of = grouped_folds(groups, folds, seed)
    wanted, folds = folds, int(fold_of.max()) + 1
    tracker.total -= len(selected) * (wanted - folds)
    scores = [0.0] * len(selected)
    for fold in range(folds):
        fitted = method.fit(source or store, selected[fold_of != fold].tolist(), tracker.check)
        for place in np.flatnonzero(fold_of == fold).tolist():
            tracker.check()
            index = int(selected[place])
            scores[place] = store.score(fitted, index)
            on_held_out(fitted, index)
        tracker.advance(len(selected), "threshold", fold + 1, folds)
    return scores
