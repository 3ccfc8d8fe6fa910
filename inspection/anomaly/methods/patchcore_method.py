"""PatchCore as a training method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from inspection.anomaly.methods.graphs import anomaly_graph
from inspection.anomaly.methods.patchcore import PatchCore, fit
from inspection.anomaly.methods.registry import MethodSettings, PatchSource
from inspection.anomaly.methods.whitening import AXES
from inspection.runtime.arrays import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PatchCoreModel:
    """A fitted PatchCore and its OpenVINO graph."""

    fitted: PatchCore

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the anomaly map of an image, float32 ``shape``, from its features ``(h·w, D)``."""
        return self.fitted.map(features, shape)

    def graph(self, features: Any, *, smoothed: bool = True) -> Any:
        """Return the ``openvino.Model`` from ``image`` to ``map``."""
        fitted = self.fitted
        return anomaly_graph(
            features, fitted.projection, fitted.offset, fitted.bank, fitted.constants(), smoothed=smoothed
        )

    def metrics(self) -> dict[str, float]:
        """Return size and dimensions of the memory bank."""
        count, dimensions = self.fitted.bank.shape
        return {"bank_size": float(count), "bank_dimensions": float(dimensions)}


@dataclass(frozen=True, slots=True)
class PatchCoreMethod:
    """Distance to the nearest good patch at any position, reduced by its local scale."""

    name: ClassVar[str] = "patchcore"
    aligned: ClassVar[bool] = False
    settings: MethodSettings

    def blank(self, dimensions: int, cells: int) -> PatchCoreModel:
        """Return a model with a full memory bank, whatever the number of ``cells``."""
        del cells
        axes, size = min(AXES, dimensions), self.settings.bank_size
        projection = np.full((dimensions, axes), 1 / dimensions, np.float32)
        offset, bank, constants = (np.ones(shape, np.float32) for shape in ((axes,), (size, axes), (size,)))
        return PatchCoreModel(PatchCore(projection, offset, bank, constants))

    def fit(self, source: PatchSource, indices: Sequence[int], check: Callable[[], None]) -> PatchCoreModel:
        """Fit on the images ``indices``."""
        samples = [source.samples(index) for index in indices]
        images = np.repeat(np.arange(len(samples)), [len(patches) for patches in samples])
        patches = np.concatenate(samples)
        settings = self.settings
        return PatchCoreModel(
            fit(patches, settings.bank_size, settings.seed, check, images, whitening=settings.whitening)
        )
