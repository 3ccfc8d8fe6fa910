"""PaDiM as a training method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from inspection.anomaly.methods.graphs import map_graph, projected_patches
from inspection.anomaly.methods.padim import DIMENSIONS, Padim, fit
from inspection.anomaly.methods.registry import MethodSettings, PatchSource
from inspection.runtime.arrays import FloatArray
from inspection.runtime.graphs import constant
from inspection.runtime.openvino_import import ops


@dataclass(frozen=True, slots=True, eq=False)
class PadimModel:
    """A fitted PaDiM and its OpenVINO graph."""

    fitted: Padim

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return the anomaly map of an image, float32 ``shape``, from its features ``(h·w, D)``."""
        return self.fitted.map(features, shape)

    def graph(self, features: Any, *, smoothed: bool = True) -> Any:
        """Return the ``openvino.Model`` from ``image``, of fixed size, to ``map``."""
        patches = projected_patches(features, self.fitted.projection, self.fitted.offset)
        residuals = ops.subtract(patches, constant(self.fitted.means))
        one = constant(np.array([1], np.int64))
        whitened = ops.squeeze(
            ops.matmul(ops.unsqueeze(residuals, one), constant(self.fitted.factors), False, False), one
        )
        distance = ops.sqrt(ops.reduce_sum(ops.multiply(whitened, whitened), one, keep_dims=True))
        return map_graph(features, distance, "padim", smoothed=smoothed)

    def metrics(self) -> dict[str, float]:
        """Return the numbers of positions and of dimensions."""
        places, dimensions = self.fitted.means.shape
        return {"places": float(places), "dimensions": float(dimensions)}


@dataclass(frozen=True, slots=True)
class PadimMethod:
    """Distance to good patches at the same position; for aligned images of one size."""

    name: ClassVar[str] = "padim"
    aligned: ClassVar[bool] = True
    settings: MethodSettings

    def blank(self, dimensions: int, cells: int) -> PadimModel:
        """Return a model of ``cells`` positions."""
        kept = min(DIMENSIONS, dimensions)
        projection, offset = np.full((dimensions, kept), 1 / dimensions, np.float32), np.ones(kept, np.float32)
        factors = np.broadcast_to(np.eye(kept, dtype=np.float32), (cells, kept, kept)).copy()
        return PadimModel(Padim(projection, offset, np.ones((cells, kept), np.float32), factors))

    def fit(self, source: PatchSource, indices: Sequence[int], check: Callable[[], None]) -> PadimModel:
        """Fit on the images ``indices``."""
        samples = np.concatenate([source.samples(index) for index in indices])
        return PadimModel(fit(samples, lambda: (source.grid(index) for index in indices), self.settings.seed, check))
