"""What an inspection takes longer while the same process sends a backlog, ten parts a second."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.inspection.fit_time import draw_images
from app.benchmarks.sync.pairs import OpenStation, opened, prepare_with_parts, serving, station_folder
from app.benchmarks.sync.recording import record_parts
from inspection.metrics import percentiles
from models.errors import Unavailable

PARTS, BACKLOG = 200, 10_000
PARTS_PER_S = 10.0
MOST_RATIO = 1.25
_IMAGES = 40


def measure(data: Path, *, parts: int = PARTS, backlog: int = BACKLOG) -> list[Figure]:
    """Return the 95th percentile of an inspection beside a pass over the one without.

    An inspection is an image that is read and scored, and what the station writes of the part, each on the disk.

    Args:
        data: not used.
        parts: inspected by themselves, and as many beside the pass.
        backlog: parts that wait for the server.
    """
    del data
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        score = _scorer(folder)
        enrolled = prepare_with_parts(folder / "pair", backlog, 0)
        with (
            serving(folder / "pair") as (url, _),
            opened(station_folder(folder / "pair"), enrolled, url) as station,
        ):

            def inspect() -> None:
                with station.engine.courtesy.working():
                    score()
                    record_parts(station.database, station.blobs, enrolled.device_id, enrolled.target_id, 1, 100_000)

            _paced(inspect, 20, lambda: True)
            alone = _paced(inspect, parts, lambda: True)
            beside = _paced_beside_pass(station, inspect, parts)
    idle, busy = (percentiles(found)["p95"] or 0.0 for found in (alone, beside))
    return [
        judged_figure(
            name="sync_beside_inspection_ratio",
            value=busy / idle,
            what=f"an inspection, {PARTS_PER_S:g} a second, beside a pass with a backlog: its p95 over that without",
            goal=at_most(MOST_RATIO),
            note=f"{idle:.0f} ms without ({len(alone)} parts), {busy:.0f} ms beside it ({len(beside)} parts); "
            "the server is on the same two cores",
        )
    ]


def _scorer(folder: Path) -> Callable[[], object]:
    from inspection.anomaly import TrainingSettings, load_bundle, train_images
    from inspection.imaging.datasets import image_files
    from inspection.imaging.files import read_image

    draw_images(folder / "good", _IMAGES)
    images = image_files(folder / "good")
    train_images(images, folder / "bench.model", TrainingSettings(threads=1))
    model = load_bundle(folder / "bench.model", threads=1)
    return lambda: model.score(read_image(images[0]))


def _paced_beside_pass(station: OpenStation, inspect: Callable[[], None], most: int) -> list[float]:
    def one_pass() -> None:
        with suppress(Unavailable):  # Stopped, once enough was measured.
            station.engine.run_once()

    passing = threading.Thread(target=one_pass)
    passing.start()
    try:
        return _paced(inspect, most, passing.is_alive)
    finally:
        station.engine.stop()
        passing.join()


def _paced(inspect: Callable[[], None], most: int, goes_on: Callable[[], bool]) -> list[float]:
    """Inspect at fixed times and return how long each took, in ms."""
    taken: list[float] = []
    due = time.perf_counter()
    while len(taken) < most and goes_on():
        time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        inspect()
        taken.append((time.perf_counter() - began) * 1000)
        due += 1 / PARTS_PER_S
    return taken
