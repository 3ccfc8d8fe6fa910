"""Compiling a graph for the processor, and its input normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspection.detection.graph.description import GraphDescription
from inspection.runtime.compilation import compile_model, core
from inspection.runtime.openvino_import import openvino as ov


def compile_graph(
    model: Any, description: GraphDescription, precision: str, threads: int | None = None, at_once: int = 1
) -> Any:
    """Compile a graph for the CPU, with float32 ``(1, height, width, 3)`` RGB input normalised by ``value_table``.

    Args:
        model: of ``read_graph``.
        description: of ``read_graph``.
        precision: ``f32`` or ``bf16``; a CPU without bfloat16 computes in float32.
        threads: number of CPU threads; None takes the setting.
        at_once: as ``compile_model``.
    """
    steps = ov.preprocess.PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.f32).set_layout(ov.Layout("NHWC"))
    if description.colour == "bgr":
        steps.input().preprocess().reverse_channels()
    steps.input().model().set_layout(ov.Layout(description.layout))
    return compile_model(steps.build(), threads, precision, at_once)


def value_table(description: GraphDescription) -> NDArray[np.float32]:
    """Return the normalised value of each channel value 0 to 255, float32 ``(1, 256, 3)`` in RGB order.

    A lookup table instead of a multiplication in the graph, which differs in the last bit; dynamic quantisation of the
    input can turn that into boxes 20 pixels off.
    """
    values = np.arange(256, dtype=np.float32)[:, None]
    mean, scale = np.array(description.mean, np.float32), np.array(description.scale, np.float32)
    table = ((values - mean) / scale).astype(np.float32, copy=False)
    ordered = table[:, ::-1] if description.colour == "bgr" else table
    return np.ascontiguousarray(ordered[None])


def cpu_supports(capability: str) -> bool:
    """Return whether the CPU supports a number format natively (``BF16``, ``INT8``), by its OpenVINO name."""
    return capability in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


F32, BF16 = "f32", "bf16"
