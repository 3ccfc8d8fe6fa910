"""How long a running execution goes on after somebody has asked to cancel it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from app.benchmarks.figures import Figure, at_most, judged_figure

TIMES, FILES = 5, 60
GOAL_MS = 1000.0
_PATIENCE_S = 60.0
_POLL_S = 0.005


def cancel_figure(http: httpx.Client, pipeline: str, image: bytes) -> Figure:
    """Return the longest of several times from the request to cancel to the status ``cancelled``.

    Args:
        http: signed in.
        pipeline: id of a pipeline that takes some ten milliseconds for an image.
        image: JPEG; each execution has it many times, so that it runs for seconds.

    Raises:
        RuntimeError: when an execution ends otherwise.
    """
    taken_ms = [_cancelled_ms(http, pipeline, image) for _ in range(TIMES)]
    return judged_figure(
        name="execution_cancel_ms",
        value=max(taken_ms),
        unit="ms",
        what=f"from the request to cancel a running execution of {FILES} images to its end, the longest of {TIMES}",
        goal=at_most(GOAL_MS),
        note=f"{min(taken_ms):.0f} to {max(taken_ms):.0f} ms",
    )


def _cancelled_ms(http: httpx.Client, pipeline: str, image: bytes) -> float:
    files = [("input_files", (f"{number}.jpg", image, "image/jpeg")) for number in range(FILES)]
    accepted = http.post("/executions", data={"pipeline_id": pipeline}, files=files).raise_for_status().json()
    path = f"/executions/{accepted['execution_id']}"
    # A step has begun: it is cancelled in the middle of its work.
    _wait(http, path, lambda state: bool(state["steps"]))
    began = time.perf_counter()
    http.post(f"{path}/cancel").raise_for_status()
    ended = _wait(http, path, lambda state: state["status"] not in {"pending", "running"})
    taken_ms = (time.perf_counter() - began) * 1000
    if ended["status"] != "cancelled":
        raise RuntimeError(f"the execution was not cancelled: {ended['status']}")
    return taken_ms


def _wait(http: httpx.Client, path: str, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    until = time.perf_counter() + _PATIENCE_S
    while time.perf_counter() < until:
        state: dict[str, Any] = http.get(path).raise_for_status().json()
        if met(state):
            return state
        time.sleep(_POLL_S)
    raise RuntimeError("the execution does not go on")
