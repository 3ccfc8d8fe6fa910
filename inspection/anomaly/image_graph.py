"""A graph compiled for one image size, or for all sizes once images of another size arrive."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.runtime.compilation import compile_model


class ImageGraph:
    """A graph of one image input, compiled on first use; holds one compiled graph at a time.

    A graph compiled for one size runs about 5 % faster than a dynamic one, with bit-identical results. Images of the
    common size get such a graph until the first image of another size arrives; from then on a dynamic one serves all,
    because each compiled graph keeps its own copy of the weights and its own activations (50 MB with the default
    network).
    """

    def __init__(self, graph: Any, common_size: tuple[int, int], threads: int | None = None) -> None:
        """Store the graph without compiling it.

        Args:
            graph: ``openvino.Model`` with one input ``(1, 3, H, W)``.
            common_size: ``H`` and ``W`` of most images.
            threads: number of CPU threads; None takes the setting.
        """
        self._graph = graph
        self._common_shape = (1, 3, *common_size)
        self._threads = threads
        self._common: Any = None
        self._dynamic: Any = None

    def infer(self, tensor: NDArray[np.float32]) -> Any:
        """Run the graph on ``tensor`` ``(1, 3, H, W)`` and return its results, valid until the next run.

        Raises:
            RuntimeError: when the graph cannot be compiled or run.
        """
        return self._request(tensor.shape).infer([tensor], share_inputs=True)

    def _request(self, shape: tuple[int, ...]) -> Any:
        if self._dynamic is None and shape != self._common_shape:
            # Released before the other is compiled, so that the two are never in memory together.
            self._common = None
            dynamic = compile_model(self._graph, self._threads).create_infer_request()
            # Sizes its buffers for the common images at once: growing them later leaves the smaller ones behind.
            dynamic.infer([np.zeros(self._common_shape, np.float32)])
            self._dynamic = dynamic
        if self._dynamic is not None:
            return self._dynamic
        if self._common is None:
            sized = self._graph.clone()
            sized.reshape(list(self._common_shape))
            self._common = compile_model(sized, self._threads).create_infer_request()
        return self._common
