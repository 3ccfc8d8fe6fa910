"""A compiled graph with its input buffers."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from inspection.detection.graph.compilation import F32, compile_graph, value_table
from inspection.detection.graph.description import GraphDescription
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.runtime.arrays import FloatArray
from models.errors import InvalidInput


class GraphModel:
    """A compiled graph with its input buffers; thread-safe, runs one image at a time."""

    def __init__(
        self,
        graph: Any,
        description: GraphDescription,
        name: str,
        digest: str,
        *,
        precision: str = F32,
        threads: int | None = None,
    ) -> None:
        self.description = description
        self.name = name
        self.digest = digest
        self.precision = precision
        self._lock = threading.Lock()
        try:
            self._request = compile_graph(graph, description, precision, threads).create_infer_request()
        except RuntimeError as error:
            raise InvalidInput("model-damaged", name=name) from error
        self._canvas: Pixels = np.empty((description.height, description.width, 3), np.uint8)
        self._input: FloatArray = np.empty((1, description.height, description.width, 3), np.float32)
        self._table = value_table(description)

    def _infer(self) -> FloatArray:
        """Run the graph on the canvas; the lock must be held."""
        cv2.LUT(self._canvas, self._table, self._input[0])
        output: FloatArray = self._request.infer([self._input], share_inputs=True, share_outputs=True)[0]
        return output
