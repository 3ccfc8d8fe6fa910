"""One graph for images of the usual size, one for all others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.compilation import compile_model


class ImageGraph:
    """A graph that takes one image, compiled when the first one comes.

    Compiled for one size it runs some 5 % faster than for any, and gives the same to the last bit. So images of the
    usual size have a graph of their own; one for all others is compiled when the first of them comes.
    """

    def __init__(self, graph: Any, usual: tuple[int, int], threads: int | None = None) -> None:
        """Keep the graph.

        Args:
            graph: ``openvino.Model`` with one input ``(1, 3, H, W)``.
            usual: ``H`` and ``W`` that most images will have.
            threads: processor threads it may use; None takes the setting.
        """
        self._graph = graph
        self._usual_shape = (1, 3, *usual)
        self._threads = threads
        self._usual: Any = None
        self._other: Any = None

    def infer(self, tensor: NDArray[np.float32]) -> Any:
        """Run the graph on ``tensor`` ``(1, 3, H, W)`` and return its results, to be copied before the next run.

        Raises:
            RuntimeError: when the graph cannot be compiled or run.
        """
        return self._request(tensor.shape).infer([tensor], share_inputs=True)

    def _request(self, shape: tuple[int, ...]) -> Any:
        if shape == self._usual_shape:
            if self._usual is None:
                sized = self._graph.clone()
                sized.reshape(list(shape))
                self._usual = compile_model(sized, self._threads).create_infer_request()
            return self._usual
        if self._other is None:
            self._other = compile_model(self._graph, self._threads).create_infer_request()
        return self._other
