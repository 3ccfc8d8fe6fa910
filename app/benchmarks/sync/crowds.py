"""Many stations on one server: in the course of a day, and all at once when the power comes back.

The stations are threads of one process, with the real client and, where they come back, the real engine and a store
each; the server is another process on the same computer.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.sync.pairs import Enrolled, OpenStation, client_of, opened, prepare, serving
from app.benchmarks.sync.recording import CHANGES_OF_A_PART, part_changes, record_parts
from inspection.metrics import percentiles
from models.clock import HybridLogicalClock
from models.errors import UserFacingError
from models.ids import new_id
from sync.shared.problems import code_of
from sync.shared.protocol import SCHEMA_VERSION, Batch, Outcome

STEADY, EVERY_S, PARTS_A_PUSH = 50, 10.0, 5
STEADY_S = 40.0
MOST_PUSH_MS = 250.0
RETURNING, PARTS, IMAGE_BYTES = 200, 3, 20_000
SERVED_S = 180.0


def measure(data: Path, *, steady: int = STEADY, seconds: float = STEADY_S, returning: int = RETURNING) -> list[Figure]:
    """Return the time of a push among many stations, and how long many take that come back at once.

    Args:
        data: not used.
        steady: stations that push in turn.
        seconds: how long they do.
        returning: stations that come back at once.
    """
    del data
    with tempfile.TemporaryDirectory() as folder:
        return [_pushes(Path(folder) / "steady", steady, seconds), *_returns(Path(folder) / "returning", returning)]


def _pushes(folder: Path, stations: int, seconds: float) -> Figure:
    enrolled = prepare(folder, stations=stations)
    with serving(folder) as (url, _), ThreadPoolExecutor(stations) as threads:
        began = time.perf_counter()
        found = [
            threads.submit(_push_in_turn, url, one, began + EVERY_S * place / stations, began + seconds)
            for place, one in enumerate(enrolled)
        ]
        milliseconds = [took for one in found for took in one.result()]
    changes = len(part_changes(HybridLogicalClock("bench"), enrolled[0].device_id, "")) * PARTS_A_PUSH
    p95 = percentiles(milliseconds)["p95"] or 0.0
    return judged_figure(
        name="sync_push_of_many_p95_ms",
        value=p95,
        unit="ms",
        what=f"push of {changes} changes by one of {stations} stations that push every {EVERY_S:g} s, 95th percentile",
        goal=at_most(MOST_PUSH_MS),
        note=f"{len(milliseconds)} pushes, median {percentiles(milliseconds)['p50']:.0f} ms",
    )


def _push_in_turn(url: str, enrolled: Enrolled, due: float, until: float) -> list[float]:
    """Push at fixed times, the first at ``due``, and return how long each took, in ms."""
    clock = HybridLogicalClock(enrolled.device_id)
    client = client_of(enrolled, url)
    noise = random.Random(enrolled.device_id)  # noqa: S311 - nothing secret
    taken = []
    try:
        client.authenticate_device()
        while due < until:
            changes = [
                change
                for _ in range(PARTS_A_PUSH)
                for change in part_changes(clock, enrolled.device_id, enrolled.target_id)
            ]
            batch = Batch(
                device_id=enrolled.device_id, batch_id=new_id(), schema_version=SCHEMA_VERSION, changes=changes
            )
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            answer = client.push(batch)
            taken.append((time.perf_counter() - began) * 1000)
            if any(result.outcome is not Outcome.APPLIED for result in answer.results):
                raise RuntimeError("a change was not applied")
            due += EVERY_S * (0.9 + noise.random() / 5)
    finally:
        client.close()
    return taken


def _returns(folder: Path, stations: int) -> list[Figure]:
    enrolled = prepare(folder, stations=stations)
    with serving(folder) as (url, _), ExitStack() as stack:
        opens = []
        for one in enrolled:
            station = stack.enter_context(opened(folder / one.device_id, one, url))
            station.engine.run_once()
            record_parts(station.database, station.blobs, one.device_id, one.target_id, PARTS, IMAGE_BYTES)
            opens.append(station)
        seconds, codes = _all_at_once(opens)
        left = sum(station.engine.status().waiting for station in opens)
    if left and not codes:
        raise RuntimeError(f"{left} changes still wait")
    what = (
        f"{stations} stations that come back at once, each with {PARTS * CHANGES_OF_A_PART} changes and {PARTS} images"
    )
    return [
        judged_figure(
            name="sync_many_return_s",
            value=seconds,
            unit="s",
            what=f"{what}: until the last one is served",
            goal=at_most(SERVED_S),
        ),
        Figure(
            name="sync_many_return_errors",
            value=len(codes),
            what=f"{what}: errors that a person would see",
            goal="0",
            met=not codes,
            note=", ".join(f"{code}: {count}" for code, count in Counter(codes).items()),
        ),
    ]


def _all_at_once(stations: Sequence[OpenStation]) -> tuple[float, list[str]]:
    """Let all stations begin a pass together; return the seconds of the longest and the codes of what failed."""
    start = threading.Barrier(len(stations) + 1)

    def one_pass(station: OpenStation) -> str | None:
        start.wait()
        try:
            station.engine.run_once()
        except UserFacingError as error:
            return code_of(error)
        return None

    with ThreadPoolExecutor(len(stations)) as threads:
        passes = [threads.submit(one_pass, station) for station in stations]
        start.wait()
        began = time.perf_counter()
        codes = [code for one in passes if (code := one.result()) is not None]
        return time.perf_counter() - began, codes
