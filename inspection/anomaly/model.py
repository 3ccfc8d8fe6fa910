"""A trained anomaly model in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from inspection.anomaly.alignment import require_aligned
from inspection.anomaly.bundle import Bundle, read_bundle
from inspection.anomaly.image_graph import ImageGraph
from inspection.anomaly.manifest import BundleManifest
from inspection.anomaly.methods.map_smoothing import smooth_map
from inspection.anomaly.network_input import prepare_for
from inspection.anomaly.preparation import PATCH, NetworkInput, tensor_size, working_size
from inspection.anomaly.tiling import common_tile, joined
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.imaging.placement import FloatMap
from inspection.model_files.step_models import ModelKind
from inspection.runtime.compilation import core
from inspection.runtime.graphs import weights_tensor
from models.errors import InvalidInput

_RANK = 4


@dataclass(frozen=True, slots=True, eq=False)
class ScoredImage:
    """The score of an image.

    Attributes:
        score: anomaly score; higher is more anomalous.
        threshold: of the model; a score strictly above it is anomalous.
        heatmap: float32 ``(H, W)`` over the scored image, in the unit of the score.
    """

    score: float
    threshold: float
    heatmap: FloatMap


class AnomalyModel:
    """A model in memory; thread-safe, scores one image at a time.

    Attributes:
        manifest: of the model file.
        digest: SHA-256 of the model file, hexadecimal.
        name: of the model file, for messages.
    """

    kind: ClassVar[ModelKind] = ModelKind.ANOMALY

    def __init__(self, bundle: Bundle, name: str, threads: int | None = None) -> None:
        self.manifest: BundleManifest = bundle.manifest
        self.digest: str = bundle.digest
        self.name = name
        self._lock = threading.Lock()
        try:
            graph = core().read_model(bundle.graph, weights_tensor(bundle.weights))
        except RuntimeError as error:
            raise InvalidInput("model-damaged", name=name) from error
        if not _maps_images(graph):
            raise InvalidInput("model-damaged", name=name)
        size = self.manifest.preprocessing
        usual = tensor_size(*working_size(size.median_height, size.median_width, size.scale))
        self._graph = ImageGraph(graph, common_tile(usual, size.tile), threads)

    @property
    def threshold(self) -> float:
        """The threshold stored in the model file."""
        return self.manifest.threshold.value

    def score(self, pixels: Pixels, *, scale_x: float = 1.0, scale_y: float = 1.0) -> ScoredImage:
        """Score one image.

        Args:
            pixels: uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
            scale_x: columns of ``pixels`` per column of the original image, when an earlier step resized it.
            scale_y: the same for rows.

        Raises:
            DoesNotFit: ``image-scale`` when it is far larger than the training images, ``image-not-aligned`` when the
                model requires images of one size and this image has another.
            InvalidInput: ``model-not-finite``, ``model-damaged``; see ``map``.
        """
        preprocessing = self.manifest.preprocessing
        prepared = prepare_for(preprocessing, pixels, scale_x, scale_y)
        require_aligned(preprocessing, prepared, pixels.shape[0] / scale_y, pixels.shape[1] / scale_x)
        grid = self.map(prepared)
        heatmap = resize_map(grid, prepared, pixels.shape[0], pixels.shape[1])
        return ScoredImage(float(grid[prepared.cells()].max()), self.threshold, heatmap)

    def warm_up(self) -> None:
        """Score a blank image of the median size, so that the first part is not slower than the others."""
        size = self.manifest.preprocessing
        self.score(np.zeros((size.median_height, size.median_width), np.uint8))

    def map(self, prepared: NetworkInput) -> FloatMap:
        """Return the map over the patch grid, float32 ``(H/16, W/16)`` of the tensor.

        Raises:
            InvalidInput: ``model-not-finite`` when the output has NaN or infinite values, which would pass every
                threshold; ``model-damaged`` when the graph cannot run or its map has an unexpected size.
        """
        tile = self.manifest.preprocessing.tile
        with self._lock:
            try:
                grid = joined(prepared, tile, self._infer)
            except RuntimeError as error:
                raise InvalidInput("model-damaged", name=self.name) from error
        if not np.isfinite(grid).all():
            raise InvalidInput("model-not-finite", name=self.name)
        return smooth_map(grid) if tile > 0 else grid

    def _infer(self, tensor: NDArray[np.float32]) -> FloatMap:
        """Return the map of one tensor, valid until the next run; raises RuntimeError."""
        found: NDArray[np.float32] = self._graph.infer(tensor)["map"]
        if found.shape[2:] != tuple(side // PATCH for side in tensor.shape[2:]):
            raise InvalidInput("model-damaged", name=self.name)
        grid: FloatMap = found[0, 0]
        return grid


def _maps_images(graph: Any) -> bool:
    """Return whether an ``openvino.Model`` has the one input and the output ``map`` of every method."""
    inputs, outputs = graph.inputs, graph.outputs
    return (
        len(inputs) == 1
        and len(outputs) == 1
        and "map" in outputs[0].get_names()
        and len(inputs[0].get_partial_shape()) == len(outputs[0].get_partial_shape()) == _RANK
    )


def resize_map(grid: FloatMap, prepared: NetworkInput, height: int, width: int) -> FloatMap:
    """Resize a map over the patch grid to the ``height`` × ``width`` pixels of the prepared image, bilinearly.

    Returns:
        float32 ``(height, width)``, without the reflected borders.
    """
    across, down = prepared.width / width / PATCH, prepared.height / height / PATCH
    matrix = np.array(
        [
            [across, 0.0, 0.5 * across + prepared.left / PATCH - 0.5],
            [0.0, down, 0.5 * down + prepared.top / PATCH - 0.5],
        ]
    )
    moved = cv2.warpAffine(
        grid,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved.astype(np.float32, copy=False)


def load_bundle(path: Path, threads: int | None = None) -> AnomalyModel:
    """Load a model file.

    Args:
        path: of the model file.
        threads: number of CPU threads; None takes the setting.

    Raises:
        NotFound: ``model-missing``.
        InvalidInput: ``model-damaged``, ``model-too-new`` or ``model-not-readable``.
    """
    model = AnomalyModel(read_bundle(Path(path)), Path(path).name, threads)
    model.warm_up()
    return model
