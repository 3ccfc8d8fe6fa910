"""Features of the training images, fits on some or all of them, and the check that the finished file agrees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inspection.anomaly.backbone import Backbone
from inspection.anomaly.bundle import Bundle
from inspection.anomaly.course import Course
from inspection.anomaly.features import FeatureExtractor, FloatArray
from inspection.anomaly.material import Material
from inspection.anomaly.model import AnomalyModel
from inspection.anomaly.patchcore import PatchCore, fit
from inspection.anomaly.preparation import Prepared, choose_scale, prepare
from models.errors import DoesNotFit

PARITY_LIMIT = 1e-3
PARITY_IMAGES = 16
# Features that are kept in memory (1 GB as float32); those of further images are computed again when needed.
_MOST_KEPT = 256_000_000
# Patches a fit looks at; more add time and no knowledge, as the bank is far smaller.
_MOST_PATCHES = 200_000
_Cells = tuple[slice, slice]


class Fitting:
    """The features of one training's images, and fits on them.

    Args:
        backbone: network the features come from.
        material: the images.
        course: told of the work done.
        bank_size: most patches a fit remembers.
        seed: of every choice by chance.
        threads: processor threads; 0 takes the setting.

    Attributes:
        scale: network pixels per original pixel, one for all images.
        extractor: gives features; holds the feature graph.
    """

    def __init__(
        self, backbone: Backbone, material: Material, course: Course, *, bank_size: int, seed: int, threads: int
    ) -> None:
        self.scale = choose_scale(material.sizes)
        self.extractor = FeatureExtractor(backbone, threads)
        self._material = material
        self._course = course
        self._bank_size = bank_size
        self._seed = seed
        self._threads = threads
        self._kept: dict[int, FloatArray] = {}
        self._cells: list[_Cells] = []
        self._samples: list[FloatArray] = []
        self._extract()

    def held_out_scores(self, folds: int) -> list[float]:
        """Score every image by a model that was fitted on the other folds."""
        count = len(self._material.files)
        fold_of = np.random.default_rng(self._seed).permutation(count) % folds
        scores = [0.0] * count
        for fold in range(folds):
            core = self.fit_on(np.flatnonzero(fold_of != fold).tolist())
            for index in np.flatnonzero(fold_of == fold).tolist():
                self._course.check()
                scores[index] = score_features(core, self._features(index), self._cells[index])
            self._course.advance(count, "threshold", fold + 1, folds)
        return scores

    def fit_on(self, indices: Sequence[int] | range) -> PatchCore:
        """Fit on the patches of these images."""
        patches = np.concatenate([self._samples[index] for index in indices])
        return fit(patches, self._bank_size, self._seed, self._course.check)

    def check_parity(self, core: PatchCore, bundle: Bundle) -> float:
        """Score images by the finished file and by what the training computed; return the largest relative difference.

        Mirrored training images are used: the bank holds patches of the images themselves, whose distance is nought
        but for rounding, and says nothing.

        Raises:
            DoesNotFit: ``model-parity`` when it is above 1e-3 or a verdict flips.
        """
        finished = AnomalyModel(bundle, "model", self._threads or None)
        worst, flips = 0.0, 0
        count = min(PARITY_IMAGES, len(self._material.files))
        for done, index in enumerate(np.linspace(0, len(self._material.files) - 1, count).astype(int).tolist()):
            mirrored = np.ascontiguousarray(self._material.pixels(index)[::-1, ::-1])
            prepared = prepare(mirrored, self.scale)
            expected = score_features(core, self.extractor.grid(prepared), prepared.cells())
            found = finished.score(mirrored).score
            worst = max(worst, abs(found - expected) / max(abs(expected), 1e-6))
            flips += (found > finished.threshold) != (expected > finished.threshold)
            self._course.advance(1, "export", done + 1, count)
        if worst > PARITY_LIMIT or flips:
            raise DoesNotFit("model-parity", difference=f"{worst:.2e}", limit=f"{PARITY_LIMIT:.0e}", flips=flips)
        return worst

    def _extract(self) -> None:
        count = len(self._material.files)
        share = max(1, _MOST_PATCHES // count)
        generator = np.random.default_rng(self._seed)
        held = 0
        for index in range(count):
            prepared = self._prepared(index)
            grid = self.extractor.grid(prepared)
            self._cells.append(prepared.cells())
            patches = grid.reshape(-1, grid.shape[-1])
            if held + patches.size <= _MOST_KEPT:
                self._kept[index] = grid
                held += patches.size
            if len(patches) > share:
                patches = patches[np.sort(generator.choice(len(patches), share, replace=False))]
            self._samples.append(patches)
            self._course.advance(1, "features", index + 1, count)

    def _features(self, index: int) -> FloatArray:
        kept = self._kept.get(index)
        return self.extractor.grid(self._prepared(index)) if kept is None else kept

    def _prepared(self, index: int) -> Prepared:
        return prepare(self._material.pixels(index), self.scale)


def score_features(core: PatchCore, grid: FloatArray, cells: _Cells) -> float:
    """Return the score of an image from its features ``(h, w, D)``: the highest value of its map.

    Args:
        core: the fitted model.
        grid: the features.
        cells: rows and columns of the patch grid that hold the image itself.
    """
    found = core.map(grid.reshape(-1, grid.shape[-1]), (grid.shape[0], grid.shape[1]))
    return float(found[cells].max())
