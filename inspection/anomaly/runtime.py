"""Running graphs on the processor with OpenVINO."""

from __future__ import annotations

from functools import cache
from typing import Any

from inspection.openvino_runtime import openvino as ov
from inspection.settings import inference_threads


@cache
def core() -> Any:
    """Return the one OpenVINO core of this process."""
    return ov.Core()


def compile_model(model: Any, threads: int | None = None) -> Any:
    """Compile ``model`` for the processor in full float32.

    The default precision of newer processors (bfloat16) moves anomaly scores by more than half a percent, and so would
    move verdicts from one machine to another.
    """
    return core().compile_model(
        model,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": inference_threads(threads),
            "NUM_STREAMS": 1,
        },
    )
