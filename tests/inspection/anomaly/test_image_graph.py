"""Compiled graphs of an anomaly model: one in memory at a time, the same results from each."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from inspection.anomaly import image_graph
from inspection.anomaly.image_graph import ImageGraph
from inspection.runtime.graphs import constant
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.openvino_import import ops

COMMON, OTHER = (1, 3, 64, 64), (1, 3, 32, 96)


def doubling() -> Any:
    """Return a graph of any image size that doubles its input."""
    image = ops.parameter([1, 3, -1, -1], np.float32)
    result = ops.result(ops.multiply(image, constant(np.array(2, np.float32))))
    result.output(0).set_names({"map"})
    return ov.Model([result], [image], "doubling")


def infer(graph: ImageGraph, shape: tuple[int, ...]) -> Any:
    return graph.infer(np.full(shape, 3, np.float32))["map"].copy()


def test_images_of_both_sizes_are_answered_in_any_order() -> None:
    graph = ImageGraph(doubling(), COMMON[2:], 1)
    for shape in (COMMON, OTHER, COMMON, OTHER):
        np.testing.assert_array_equal(infer(graph, shape), np.full(shape, 6, np.float32))


def test_the_graph_of_the_common_size_is_released_for_that_of_all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[weakref.ref[Any]] = []
    compile_model = image_graph.compile_model

    def recording(model: Any, threads: int | None) -> Any:
        gc.collect()
        assert [each for each in compiled if each() is not None] == []
        found = compile_model(model, threads)
        compiled.append(weakref.ref(found))
        return found

    monkeypatch.setattr(image_graph, "compile_model", recording)
    graph = ImageGraph(doubling(), COMMON[2:], 1)
    for shape in (COMMON, OTHER, COMMON):
        infer(graph, shape)
    assert len(compiled) == 2
