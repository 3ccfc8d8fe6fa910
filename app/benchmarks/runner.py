"""Runs areas: what is measured once first, then the probes of all areas in turn, several times over."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from app.benchmarks.areas import Area, Measure, Probe
from app.benchmarks.figures import Figure
from app.benchmarks.processes import MeasurementFailed, run_measure, run_probe
from models.errors import Unavailable
from models.messages import Language, error_text

ROUNDS = 5
Progress = Callable[[str, float], None]
OnMeasured = Callable[[str, float], None]
"""Called with the name of a module that has run, and the seconds it took."""


@dataclass(slots=True)
class Outcome:
    """What an area gave.

    Attributes:
        area: measured.
        figures: in the order they are shown.
        notes: Markdown of its modules.
        missing: why a part of it could not be measured here: data that are not there.
        failures: what went wrong and must not.
    """

    area: Area
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run_areas(
    areas: Sequence[Area],
    data: Path | None,
    *,
    quick: bool = False,
    rounds: int = ROUNDS,
    language: Language = "en",
    on_progress: Progress | None = None,
    on_measured: OnMeasured = lambda _module, _seconds: None,
) -> list[Outcome]:
    """Measure areas, one process after the other.

    Probes of different areas take turns and the median of each value counts: a shared machine is noisy for minutes, and
    what is compared must be measured under the same noise.

    Args:
        areas: to measure.
        data: folder of the data sets; without it, what takes data is missing in the outcomes.
        quick: fewer repetitions, to see that it works; such figures are for nothing else.
        rounds: how often each probe runs.
        language: of messages in the outcomes.
        on_progress: called with what is measured and the fraction that is done.
        on_measured: called with each module that has run, and the seconds it took.
    """
    outcomes = [Outcome(area) for area in areas]
    repeated = 1 if quick else rounds
    steps = sum(len(area.measures) + sum(min(repeated, probe.most_runs) for probe in area.probes) for area in areas)
    progress = _Steps(max(steps, 1), on_progress)
    for outcome in outcomes:
        for measure in outcome.area.measures:
            progress.next(outcome.area.title)
            with _timed(measure.module, on_measured):
                _measure(outcome, measure, data, language, quick=quick)
    _probe(outcomes, repeated, progress, on_measured, quick=quick)
    _require_different_names(outcomes)
    return outcomes


def _measure(outcome: Outcome, measure: Measure, data: Path | None, language: Language, *, quick: bool) -> None:
    if measure.folder is not None and data is None:
        text = error_text("benchmark-data", {}, language)
        outcome.missing.append(f"{text.title}: {text.detail} {text.advice}")
        return
    folder = Path() if data is None or measure.folder is None else data / measure.folder
    arguments = measure.quick if quick else {}
    try:
        found = run_measure(measure.module, folder, arguments, language, measure.time_limit_s)
    except MeasurementFailed as error:
        outcome.failures.append(str(error))
        return
    if "trouble" in found:
        trouble = found["trouble"]
        outcome.missing.append(f"{trouble['title']}: {trouble['detail']} {trouble['advice']}")
        return
    outcome.figures += [
        Figure.model_validate({**figure, "command": outcome.area.command}) for figure in found["figures"]
    ]
    if found["notes"]:
        outcome.notes.append(found["notes"])


def _probe(outcomes: Sequence[Outcome], rounds: int, progress: _Steps, on_measured: OnMeasured, *, quick: bool) -> None:
    values: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as work:
        for number in range(rounds):
            for outcome in outcomes:
                for probe in outcome.area.probes:
                    if number >= probe.most_runs or outcome.failures:
                        continue
                    progress.next(outcome.area.title)
                    try:
                        with _timed(probe.module, on_measured):
                            found = run_probe(probe.module, Path(work), probe.environment, quick=quick)
                    except MeasurementFailed as error:
                        outcome.failures.append(str(error))
                        continue
                    for name, value in found.items():
                        values.setdefault(probe.module, {}).setdefault(name, []).append(value)
    for outcome in outcomes:
        speeds = [figure for probe in outcome.area.probes for figure in _figures(outcome.area, probe, values)]
        outcome.figures = speeds + outcome.figures


def _figures(area: Area, probe: Probe, values: dict[str, dict[str, list[float]]]) -> list[Figure]:
    found = values.get(probe.module)
    if found is None:
        return []
    return [
        row.figure(found[row.name]).model_copy(update={"command": area.command})
        for row in import_module(probe.module).ROWS
    ]


def _require_different_names(outcomes: Sequence[Outcome]) -> None:
    names = [figure.name for outcome in outcomes for figure in outcome.figures]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise ValueError(f"figures of one name: {', '.join(doubles)}")


def require_linux() -> None:
    """Check that memory and run time of a process can be read from /proc, as on Linux.

    Raises:
        Unavailable: ``benchmark-system``.
    """
    if not Path("/proc/self/status").is_file():
        raise Unavailable("benchmark-system")


@contextmanager
def _timed(module: str, on_measured: OnMeasured) -> Iterator[None]:
    """Report how long the block takes, also where it fails."""
    began = time.monotonic()
    try:
        yield
    finally:
        on_measured(module, time.monotonic() - began)


class _Steps:
    def __init__(self, total: int, on_progress: Progress | None) -> None:
        self._total = total
        self._done = 0
        self._on_progress = on_progress

    def next(self, title: str) -> None:
        """Report what begins now."""
        if self._on_progress is not None:
            self._on_progress(title, self._done / self._total)
        self._done += 1
