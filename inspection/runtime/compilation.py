"""Running graphs on the processor with OpenVINO."""

from __future__ import annotations

from functools import cache
from typing import Any

from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.settings import inference_threads


@cache
def core() -> Any:
    """Return the one OpenVINO core of this process."""
    return ov.Core()


def compile_model(model: Any, threads: int | None = None, precision: str = "f32") -> Any:
    """Compile ``model`` for the processor, to answer one image after the other as soon as it can.

    Args:
        model: ``openvino.Model``.
        threads: processor threads; None takes the setting.
        precision: ``f32`` in full, or ``bf16``; a processor without bfloat16 calculates in float32. Left to itself,
            OpenVINO takes bfloat16 on newer processors, which moves anomaly scores by more than half a percent, and so
            would move verdicts from one machine to another.
    """
    return core().compile_model(
        model,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": inference_threads(threads),
            "NUM_STREAMS": 1,
        },
    )
