"""Patch features of images, computed by the same OpenVINO graph as at inference."""

from __future__ import annotations

import numpy as np

from inspection.anomaly.backbone.files import Backbone
from inspection.anomaly.methods.graphs import with_patch_features
from inspection.anomaly.preparation import NetworkInput
from inspection.runtime.arrays import FloatArray
from inspection.runtime.compilation import compile_model, core
from models.errors import Unavailable


class FeatureExtractor:
    """Extracts patch features of prepared images.

    Attributes:
        graph: the feature graph, ``openvino.Model``.
    """

    def __init__(self, backbone: Backbone, threads: int | None = None) -> None:
        try:
            network = core().read_model(backbone.graph, backbone.weights)
        except RuntimeError as error:
            raise Unavailable("backbone-damaged", name=backbone.name) from error
        self.graph = with_patch_features(network)
        self._request = compile_model(self.graph, threads).create_infer_request()

    def grid(self, prepared: NetworkInput) -> FloatArray:
        """Return the features over the patch grid, float32 ``(h, w, D)``."""
        found: FloatArray = self._request.infer([prepared.tensor])["features"]
        return np.ascontiguousarray(found[0].transpose(1, 2, 0))
