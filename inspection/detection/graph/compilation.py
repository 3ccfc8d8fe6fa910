"""Compiling a graph for the processor, and its input normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.detection.graph.description import GraphDescription
from inspection.runtime.compilation import compile_model, core
from inspection.runtime.openvino_import import openvino as ov


def compile_graph(model: Any, description: GraphDescription, precision: str, threads: int | None = None) -> Any:
    """Compile a graph for the processor; it then takes float32 ``(1, height, width, 3)`` RGB of ``value_table``.

    Args:
        model: of ``read_graph``.
        description: of ``read_graph``.
        precision: ``f32`` or ``bf16``; a processor without bfloat16 calculates in float32.
        threads: processor threads; None takes the setting.
    """
    steps = ov.preprocess.PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.f32).set_layout(ov.Layout("NHWC"))
    if description.colour == "bgr":
        steps.input().preprocess().reverse_channels()
    steps.input().model().set_layout(ov.Layout(description.layout))
    return compile_model(steps.build(), threads, precision)


def value_table(description: GraphDescription) -> NDArray[np.float32]:
    """Return what each value 0 to 255 of each channel becomes, float32 ``(1, 256, 3)`` in the order RGB.

    A table and not a multiplication in the graph: that is off by the last bit, which a graph that quantises its input
    as it goes turns into boxes 20 pixels away.
    """
    values = np.arange(256, dtype=np.float32)[:, None]
    mean, scale = np.array(description.mean, np.float32), np.array(description.scale, np.float32)
    table = ((values - mean) / scale).astype(np.float32, copy=False)
    ordered = table[:, ::-1] if description.colour == "bgr" else table
    return np.ascontiguousarray(ordered[None])


def cpu_supports(capability: str) -> bool:
    """Say whether the processor has a number format of its own (``BF16``, ``INT8``), as OpenVINO names it."""
    return capability in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


F32, BF16 = "f32", "bf16"
