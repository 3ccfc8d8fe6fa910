"""A method of somebody else's: a module and one line, as ``inspection.anomaly.methods.registry`` says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from inspection.anomaly import load_bundle, train_images
from inspection.anomaly.methods import registry
from inspection.anomaly.methods.graphs import map_graph, projected_patches
from inspection.anomaly.methods.map_smoothing import smooth_map
from inspection.anomaly.methods.registry import MethodSettings, PatchSource
from inspection.imaging.files import read_image
from inspection.pipeline import Runner, default_definition, validate_definition
from inspection.runtime.arrays import FloatArray
from inspection.runtime.graphs import constant
from inspection.runtime.openvino_import import ops
from resources.parts import draw_part
from tests.support.trained_model import SMALL


@dataclass(frozen=True, slots=True, eq=False)
class MeanModel:
    projection: FloatArray
    offset: FloatArray

    def map(self, features: FloatArray, shape: tuple[int, int]) -> FloatArray:
        away = features @ self.projection + self.offset
        return smooth_map(np.sqrt((away**2).sum(axis=1)).reshape(shape))

    def graph(self, features: Any, *, smoothed: bool = True) -> Any:
        away = projected_patches(features, self.projection, self.offset)
        one = constant(np.array([1], np.int64))
        distance = ops.sqrt(ops.reduce_sum(ops.multiply(away, away), one, keep_dims=True))
        return map_graph(features, distance, "mean", smoothed=smoothed)

    def metrics(self) -> dict[str, float]:
        return {"dimensions": float(len(self.offset))}


@dataclass(frozen=True, slots=True)
class MeanMethod:
    """Distance to the mean patch of all good images, each feature by its deviation."""

    name: ClassVar[str] = "mean"
    aligned: ClassVar[bool] = False
    settings: MethodSettings

    def blank(self, dimensions: int, cells: int) -> MeanModel:
        del cells
        return MeanModel(np.eye(dimensions, dtype=np.float32), np.zeros(dimensions, np.float32))

    def fit(self, source: PatchSource, indices: Sequence[int], check: Callable[[], None]) -> MeanModel:
        check()
        patches = np.concatenate([source.samples(index) for index in indices])
        scale = 1 / (patches.std(axis=0) + 1e-3)
        return MeanModel(np.diag(scale).astype(np.float32), (-patches.mean(axis=0) * scale).astype(np.float32))


@pytest.mark.slow
def test_a_third_method_needs_one_line_in_the_registry(
    good_paths: list[Path], backbone: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry._METHODS, "mean", (__name__, "MeanMethod"))
    settings = SMALL.model_copy(update={"method": "mean", "folds": 2})
    report = train_images(good_paths[:12], tmp_path / "mean.model", settings)
    model = load_bundle(report.path)
    assert model.manifest.kind == "mean"
    assert model.manifest.metrics["parity"] <= 1e-3
    assert model.threshold > model.score(read_image(good_paths[0])).score
    outcome = Runner(validate_definition(default_definition()), {"default": model}).run(
        draw_part(800, defect="scratch").image
    )
    assert outcome.result.anomaly_score is not None
    assert outcome.result.threshold == model.threshold
