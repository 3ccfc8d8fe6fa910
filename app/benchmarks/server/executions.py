"""Executions from submit to ``completed`` on the WebSocket, beside the same pipeline run in this process.

resize → detection → filter on a JPEG of 640×480: one at a time, and eight that wait. Client and server share the
processors. Each execution has an image of its own, as from a camera: the same bytes again would replace their objects,
and the file system would free what they were. Each is measured in turns with the pipeline alone, while as many are
under way as ever: what the first ones and the last ones take, which have the processors to themselves, does not count.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np

from app.benchmarks.figures import Figure, at_least, at_most, judged_figure
from app.benchmarks.probing import processor_seconds
from app.benchmarks.server.cancelling import cancel_figure
from app.benchmarks.server.driving import served, signed_in
from app.benchmarks.server.execution_client import ExecutionClient
from inspection.imaging.files import decode_image, encode_jpeg, encode_png
from inspection.model_library.loading import load_model
from inspection.pipeline import PipelineDefinition, Runner, validate_definition

ROUNDS, WAITING, TURNS = 40, 8, 5
_SIZE = 640, 480
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


class _Together(NamedTuple):
    """One turn of as many as wait: executions a second, runs of the pipeline alone, processor time of an execution."""

    per_s: float
    alone_per_s: float
    server_ms: float
    client_ms: float


def measure(data: Path, *, rounds: int = ROUNDS) -> list[Figure]:
    """Return the latency of an execution, its overhead, the throughput of executions that wait, and how soon one ends.

    Args:
        data: the folder ``weights`` of the data sets.
        rounds: executions of each measurement in one of the turns.

    Raises:
        Unavailable: when the server does not start.
    """
    images = _images(_WARM_UP + TURNS * (2 * rounds + 2 * WAITING))
    weights = data / _WEIGHTS
    processors = os.cpu_count() or 1
    single, parallel = (_runs(weights, images, at_once=at_once) for at_once in (1, processors))
    settings = {"IMAGEFLOW_SERVER_MODELS": json.dumps({_MODEL: str(weights)})}
    local: list[float] = []
    taken: list[float] = []
    together: list[_Together] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), environment=settings) as (url, process_id),
        signed_in(url) as http,
        ExecutionClient(http, pipeline := _make_pipeline(http), images) as client,
    ):
        for _ in range(_WARM_UP):
            client.run()
        for _ in range(TURNS):
            local += [_milliseconds(single) for _ in range(rounds)]
            taken += [_milliseconds(client.run) for _ in range(rounds)]
            alone_per_s = _per_second(parallel, processors, rounds)
            before = processor_seconds(process_id), time.process_time()
            per_s = _per_second(client.run, WAITING, rounds)
            spent = processor_seconds(process_id) - before[0], time.process_time() - before[1]
            server_ms, client_ms = (seconds * 1000 / (rounds + WAITING + WAITING) for seconds in spent)
            together.append(_Together(per_s, alone_per_s, server_ms, client_ms))
        cancelled = cancel_figure(http, pipeline, images[0])
    return [*_figures(taken, local), *_throughput_figures(together), cancelled]


def _throughput_figures(turns: list[_Together]) -> list[Figure]:
    shares = [turn.per_s / turn.alone_per_s for turn in turns]
    per_s, alone_per_s, server_ms, client_ms = (statistics.median(values) for values in zip(*turns, strict=True))
    return [
        judged_figure(
            name="execution_throughput_share",
            value=statistics.median(shares),
            what=f"executions a second with {WAITING} waiting, over what the processors do of the pipeline alone",
            goal=at_least(THROUGHPUT),
            note=f"median of {len(turns)} turns, {min(shares):.2f} to {max(shares):.2f}; "
            f"{per_s:.1f} a second, {alone_per_s:.1f} alone on {os.cpu_count()} threads",
        ),
        Figure(
            name="execution_processor_ms",
            value=server_ms,
            unit="ms",
            what=f"processor time of the server for an execution with {WAITING} waiting",
            note=f"{client_ms:.1f} ms of the client; {(server_ms + client_ms) * per_s / 1000:.2f} processors busy",
        ),
    ]


def _figures(taken: list[float], local: list[float]) -> list[Figure]:
    p50, p95 = statistics.median(taken), float(np.percentile(taken, 95))
    own = statistics.median(local)
    what = "resize → YOLO11n at 640 → sharpen on a JPEG of 640×480"
    one = f"{what}: submit to completed on the WebSocket, one at a time"
    return [
        judged_figure(
            name="execution_p50_ms",
            value=p50,
            unit="ms",
            what=f"{one}, median",
            goal=at_most(P50_MS),
            note=f"{len(taken)} executions, {min(taken):.0f} to {max(taken):.0f} ms",
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
            value=p50 / own,
            what="median of the execution over that of the same pipeline in one process, from JPEG to encoded result",
            goal=at_most(OVERHEAD),
            note=f"{own:.0f} ms in one process",
        ),
    ]


def _make_pipeline(http: httpx.Client) -> str:
    """Make the pipeline and return its id."""
    answer = http.post("/pipelines", json={"name": "Benchmark", "definition": _DEFINITION}).raise_for_status()
    return str(answer.json()["id"])


def _per_second(run: Callable[[], None], at_once: int, count: int) -> float:
    """Return runs a second while ``at_once`` of them are under way all the time, over ``count`` of them.

    ``at_once`` more are run before those that count, and as many after them.
    """
    ended: list[float] = []
    numbers = itertools.count()

    def some() -> None:
        while next(numbers) < count + 2 * at_once:
            run()
            ended.append(time.perf_counter())

    with ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(some) for _ in range(at_once)]:
            done.result()
    ended.sort()
    return count / (ended[at_once + count - 1] - ended[at_once - 1])


def _runs(weights: Path, images: Sequence[bytes], *, at_once: int) -> Callable[[], None]:
    """Return what runs the pipeline once, on the next image, from JPEG to encoded result; warmed up."""
    models = {_MODEL: load_model(weights, at_once=at_once)}
    runner = Runner(validate_definition(PipelineDefinition.parse(_DEFINITION)), models)

    given = itertools.cycle(images)

    def run() -> None:
        outcome = runner.run(decode_image(next(given)))
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


def _images(count: int) -> list[bytes]:
    """Return JPEGs of 640×480 with shapes and noise, each shifted a little."""
    width, height = _SIZE
    rows, columns = np.mgrid[0:height, 0:width]
    plain = np.stack([rows * 255 / height, columns * 255 / width, (rows + columns) % 256], axis=-1)
    noise = np.random.default_rng(0).normal(0, 6, plain.shape)
    drawn = np.clip(plain + noise, 0, 255).astype(np.uint8)
    return [encode_jpeg(np.roll(drawn, divmod(number, width), axis=(0, 1))) for number in range(count)]
