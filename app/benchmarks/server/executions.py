"""Executions from submit to ``completed`` on the WebSocket, beside the same pipeline run in this process.

resize → detection → filter on a JPEG of 640×480: one at a time, and eight that wait. Client and server share the
processors.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from app.benchmarks.figures import Figure, at_least, at_most, judged_figure
from app.benchmarks.probing import processor_seconds
from app.benchmarks.server.driving import served, signed_in
from app.benchmarks.server.execution_client import ExecutionClient
from inspection.imaging.files import decode_image, encode_jpeg, encode_png
from inspection.model_library.loading import load_model
from inspection.pipeline import PipelineDefinition, Runner, validate_definition

ROUNDS, WAITING = 60, 8
P50_MS, P95_MS, OVERHEAD, THROUGHPUT = 60.0, 100.0, 2.0, 0.8
_MODEL = "yolo11"
_WEIGHTS = Path("yolo11n_int8_openvino_model") / "yolo11n.xml"
_WARM_UP = 5
_DEFINITION: dict[str, Any] = {
    "name": "Benchmark",
    "steps": [
        {
            "id": "resize",
            "component": "resize",
            "inputs": {"image": "input"},
            "parameters": {"width": 640, "height": 640},
        },
        {
            "id": "detect",
            "component": "ai_detection",
            "inputs": {"image": "resize"},
            "parameters": {"model": _MODEL},
        },
        {
            "id": "filter",
            "component": "filter",
            "inputs": {"image": "resize"},
            "parameters": {"filter_type": "sharpen"},
        },
    ],
}


def measure(data: Path, *, rounds: int = ROUNDS) -> list[Figure]:
    """Return the latency of an execution, its overhead, and the throughput of executions that wait.

    Args:
        data: the folder ``weights`` of the data sets.
        rounds: executions of each measurement.

    Raises:
        Unavailable: when the server does not start.
    """
    image = _image()
    weights = data / _WEIGHTS
    local, local_per_s = _in_process(weights, image, rounds)
    settings = {"IMAGEFLOW_SERVER_MODELS": json.dumps({_MODEL: str(weights)})}
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), environment=settings) as (url, process_id),
        signed_in(url) as http,
        ExecutionClient(http, _make_pipeline(http), image) as client,
    ):
        for _ in range(_WARM_UP):
            client.run()
        taken = [_milliseconds(client.run) for _ in range(rounds)]
        before = processor_seconds(process_id), time.process_time()
        per_s = _throughput(client, rounds)
        spent = processor_seconds(process_id) - before[0], time.process_time() - before[1]
    server_ms, client_ms = (seconds * 1000 / rounds for seconds in spent)
    return [
        *_figures(taken, local, per_s, local_per_s, rounds),
        _processor_figure(server_ms, client_ms, per_s),
    ]


def _processor_figure(server_ms: float, client_ms: float, per_s: float) -> Figure:
    return Figure(
        name="execution_processor_ms",
        value=server_ms,
        unit="ms",
        what=f"processor time of the server for an execution with {WAITING} waiting",
        note=f"{client_ms:.1f} ms of the client; {(server_ms + client_ms) * per_s / 1000:.2f} processors busy",
    )


def _figures(taken: list[float], local: list[float], per_s: float, local_per_s: float, rounds: int) -> list[Figure]:
    p50, p95 = statistics.median(taken), float(np.percentile(taken, 95))
    own = statistics.median(local)
    ratio, share = p50 / own, per_s / local_per_s
    what = "resize → YOLO11n at 640 → sharpen on a JPEG of 640×480"
    one = f"{what}: submit to completed on the WebSocket, one at a time"
    return [
        judged_figure(
            name="execution_p50_ms",
            value=p50,
            unit="ms",
            what=f"{one}, median",
            goal=at_most(P50_MS),
            note=f"{rounds} executions, {min(taken):.0f} to {max(taken):.0f} ms",
        ),
        judged_figure(
            name="execution_p95_ms",
            value=p95,
            unit="ms",
            what=f"{one}, 95th percentile",
            goal=at_most(P95_MS),
        ),
        judged_figure(
            name="execution_overhead_ratio",
            value=ratio,
            what="median of the execution over that of the same pipeline in one process, from JPEG to encoded result",
            goal=at_most(OVERHEAD),
            note=f"{own:.0f} ms in one process",
        ),
        judged_figure(
            name="execution_throughput_share",
            value=share,
            what=f"executions a second with {WAITING} waiting, over what the processors do of the pipeline alone",
            goal=at_least(THROUGHPUT),
            note=f"{per_s:.1f} a second, {local_per_s:.1f} alone on {os.cpu_count()} threads",
        ),
    ]


def _make_pipeline(http: httpx.Client) -> str:
    """Make the pipeline and return its id."""
    answer = http.post("/pipelines", json={"name": "Benchmark", "definition": _DEFINITION}).raise_for_status()
    return str(answer.json()["id"])


def _throughput(client: ExecutionClient, count: int) -> float:
    """Return executions a second while ``WAITING`` of them are under way."""
    with ThreadPoolExecutor(WAITING) as pool:
        began = time.perf_counter()
        list(pool.map(lambda _: client.run(), range(count)))
        return count / (time.perf_counter() - began)


def _in_process(weights: Path, image: bytes, rounds: int) -> tuple[list[float], float]:
    """Return the milliseconds of single runs, and runs a second on all processors."""
    single = _runs(weights, image, at_once=1)
    taken = [_milliseconds(single) for _ in range(rounds)]
    processors = os.cpu_count() or 1
    parallel = _runs(weights, image, at_once=processors)
    with ThreadPoolExecutor(processors) as pool:
        began = time.perf_counter()
        list(pool.map(lambda _: parallel(), range(rounds)))
        return taken, rounds / (time.perf_counter() - began)


def _runs(weights: Path, image: bytes, *, at_once: int) -> Callable[[], None]:
    """Return what runs the pipeline once, from JPEG to encoded result, warmed up."""
    models = {_MODEL: load_model(weights, at_once=at_once)}
    runner = Runner(validate_definition(PipelineDefinition.parse(_DEFINITION)), models)

    def run() -> None:
        outcome = runner.run(decode_image(image))
        outcome.result.model_dump_json()
        if outcome.overlay is not None:
            encode_png(outcome.overlay, quick=True)

    for _ in range(_WARM_UP):
        run()
    return run


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _image() -> bytes:
    """Return a JPEG of 640×480 with shapes and noise."""
    rows, columns = np.mgrid[0:480, 0:640]
    plain = np.stack([rows * 255 / 480, columns * 255 / 640, (rows + columns) % 256], axis=-1)
    noise = np.random.default_rng(0).normal(0, 6, plain.shape)
    return encode_jpeg(np.clip(plain + noise, 0, 255).astype(np.uint8))
