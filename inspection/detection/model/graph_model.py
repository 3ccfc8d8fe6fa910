"""A compiled graph with its input buffers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, LifoQueue
from typing import Any

import numpy as np

from inspection.detection.graph.compilation import F32, compile_graph, value_table
from inspection.detection.graph.description import GraphDescription
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from inspection.runtime.arrays import FloatArray
from models.errors import InvalidInput


@dataclass(frozen=True, slots=True, eq=False)
class Buffers:
    """What one image is worked on with.

    Attributes:
        canvas: the image at the size of the graph's input, uint8 RGB ``(height, width, 3)``.
        input: its normalised values, float32 ``(1, height, width, 3)``.
        request: of the compiled graph.
    """

    canvas: Pixels
    input: FloatArray
    request: Any


class GraphModel:
    """A compiled graph with its input buffers; thread-safe, runs ``at_once`` images at a time, one by default."""

    def __init__(
        self,
        graph: Any,
        description: GraphDescription,
        name: str,
        digest: str,
        *,
        precision: str = F32,
        threads: int | None = None,
        at_once: int = 1,
    ) -> None:
        self.description = description
        self.name = name
        self.digest = digest
        self.precision = precision
        self._at_once = at_once
        self._lock = threading.Lock()
        self._made = 0
        self._free: LifoQueue[Buffers] = LifoQueue()
        self._table = value_table(description)
        try:
            self._compiled = compile_graph(graph, description, precision, threads, at_once)
        except RuntimeError as error:
            raise InvalidInput("model-damaged", name=name) from error

    @contextmanager
    def _buffers(self) -> Iterator[Buffers]:
        """Give buffers that nobody else has until the block ends; waits while as many images are worked on as may."""
        try:
            buffers = self._free.get_nowait()
        except Empty:
            buffers = self._further() or self._free.get()
        try:
            yield buffers
        finally:
            self._free.put(buffers)

    def _further(self) -> Buffers | None:
        """Return further buffers, made when more images come at once than before; None when there may be no more."""
        with self._lock:
            if self._made == self._at_once:
                return None
            height, width = self.description.height, self.description.width
            canvas, values = np.empty((height, width, 3), np.uint8), np.empty((1, height, width, 3), np.float32)
            made = Buffers(canvas, values, self._compiled.create_infer_request())
            self._made += 1
            return made

    def _infer(self, buffers: Buffers) -> FloatArray:
        """Run the graph on the canvas; the output is good until the buffers are given back."""
        cv2.LUT(buffers.canvas, self._table, buffers.input[0])
        output: FloatArray = buffers.request.infer([buffers.input], share_inputs=True, share_outputs=True)[0]
        return output
