"""Compilation of graphs for the CPU with OpenVINO."""

from __future__ import annotations

from functools import cache
from typing import Any

from inspection.runtime.heap import share_one_heap
from inspection.runtime.openvino_import import openvino as ov
from inspection.runtime.settings import inference_threads


@cache
def core() -> Any:
    """Return the one OpenVINO core of this process."""
    share_one_heap()
    return ov.Core()


def compile_model(model: Any, threads: int | None = None, precision: str = "f32", at_once: int = 1) -> Any:
    """Compile ``model`` for the CPU, optimised for the latency of single images.

    Args:
        model: ``openvino.Model``.
        threads: number of CPU threads; None takes the setting.
        precision: ``f32`` or ``bf16``; a CPU without bfloat16 computes in float32. OpenVINO's default is bfloat16 on
            newer CPUs, which changes anomaly scores by more than half a percent, so that verdicts would differ between
            machines.
        at_once: images that are worked on at the same time; they share the threads, each has at least one.
    """
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": at_once * max(1, inference_threads(threads) // at_once),
        "NUM_STREAMS": at_once,
    }
    if at_once > 1:
        # Beside other work a thread must not wait for a processor of its own while another one is free.
        settings["ENABLE_CPU_PINNING"] = False
    return core().compile_model(model, "CPU", settings)
