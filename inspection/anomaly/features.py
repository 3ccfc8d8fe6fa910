"""Patch features of images, computed by the same OpenVINO graph as at inference."""

from __future__ import annotations

from inspection.anomaly.backbone.files import Backbone
from inspection.anomaly.methods.graphs import with_patch_features
from inspection.anomaly.preparation import NetworkInput
from inspection.anomaly.tiling import joined
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

    @property
    def dimensions(self) -> int:
        """The number of features of a patch."""
        size: int = self.graph.output("features").get_partial_shape()[1].get_length()
        return size

    def grid(self, prepared: NetworkInput, tile: int = 0) -> FloatArray:
        """Return the features over the patch grid, float32 ``(h, w, D)``.

        Args:
            prepared: the image.
            tile: side of the tiles the network is given; 0 for the whole image at once.
        """
        return joined(prepared, tile, self._features)

    def _features(self, tensor: FloatArray) -> FloatArray:
        found: FloatArray = self._request.infer([tensor])["features"]
        grid: FloatArray = found[0].transpose(1, 2, 0)
        return grid
