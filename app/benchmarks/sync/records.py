"""How long a station takes to bring inspected parts to a server on the same computer."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.sync.pairs import copied, opened, prepare_with_parts, serving, station_folder
from app.benchmarks.sync.recording import CHANGES_OF_A_PART

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Load:
    """Parts with an image each, and the seconds they may take."""

    name: str
    parts: int
    image_bytes: int
    at_most_s: float

    @property
    def what(self) -> str:
        """What it is, for people."""
        images = f"with an image of {self.image_bytes} bytes each" if self.image_bytes else "without images"
        return f"a pass that brings {self.parts} parts {images} to the server, {CHANGES_OF_A_PART} changes a part"


_LOADS = (
    _Load("with_images", 100, 100_000, 2.0),
    _Load("tiny_images", 2_500, 200, 10.0),
    _Load("without_images", 10_000, 0, 20.0),
)


def measure(data: Path, *, rounds: int = ROUNDS, of_parts: float = 1.0) -> list[Figure]:
    """Return the seconds of a pass for each load, station and server in processes of their own.

    Args:
        data: not used.
        rounds: each on copies of the same stores; medians count.
        of_parts: part of the loads that is measured.
    """
    del data
    return [_figure(load, max(1, int(load.parts * of_parts)), rounds) for load in _LOADS]


def _figure(load: _Load, parts: int, rounds: int) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template"
        enrolled = prepare_with_parts(template, parts, load.image_bytes)
        taken = []
        for number in range(rounds):
            with (
                copied(template, Path(folder) / str(number)) as pair,
                serving(pair) as (url, _),
                opened(station_folder(pair), enrolled, url) as station,
            ):
                began = time.perf_counter()
                report = station.engine.run_once()
                taken.append(time.perf_counter() - began)
            if report.pushed != parts * CHANGES_OF_A_PART or report.problems:
                raise RuntimeError(f"the pass did not bring everything: {report}")
    seconds = median(taken)
    return judged_figure(
        name=f"sync_{load.name}_s",
        value=seconds,
        unit="s",
        what=load.what,
        goal=at_most(load.at_most_s),
        note=f"median of {len(taken)} rounds, {min(taken):.3g} to {max(taken):.3g}; "
        f"{parts * CHANGES_OF_A_PART / seconds:.0f} changes a second",
    )
