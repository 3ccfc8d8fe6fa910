"""What can be measured, by name; a module is imported only in the process that measures it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

TIME_LIMIT_S = 1200.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A module whose ``measure(data, **arguments)`` returns figures; it runs once.

    Attributes:
        module: its name.
        folder: below the data folder, that it takes; empty for the whole, None when it takes no data.
        quick: arguments for a quick run.
        time_limit_s: after which it is given up.
    """

    module: str
    folder: str | None = ""
    quick: dict[str, object] = field(default_factory=dict)
    time_limit_s: float = TIME_LIMIT_S


@dataclass(frozen=True, slots=True)
class Probe:
    """A module of ``app.benchmarks.probing``; it runs several times, interleaved with the others.

    Attributes:
        module: its name.
        most_runs: what takes long is not repeated as often.
        environment: variables it needs.
    """

    module: str
    most_runs: int = 100
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Area:
    """What is measured together.

    Attributes:
        name: on the command line.
        title: on the page.
        measures: run once each.
        probes: run several times each; one may use what an earlier one left.
    """

    name: str
    title: str
    measures: tuple[Measure, ...] = ()
    probes: tuple[Probe, ...] = ()

    @property
    def command(self) -> str:
        """What makes its figures again."""
        return f"imageflow bench {self.name}"


AREAS = {
    area.name: area
    for area in (
        Area(
            "inspection",
            "Anomaly models on images",
            measures=(
                # Five sets with three seeds each.
                Measure("app.benchmarks.inspection.anomaly", quick={"seeds": 1}, time_limit_s=5400),
                Measure("app.benchmarks.inspection.sample_parts", folder=None),
                Measure("app.benchmarks.inspection.large_images", folder=None, quick={"parts": 2}),
            ),
            probes=(
                Probe("app.benchmarks.inspection.fit_time", most_runs=3),
                Probe("app.benchmarks.inspection.latency"),
            ),
        ),
        Area(
            "detection",
            "Detection",
            # The training alone took 40 minutes on two cores that others used as well.
            measures=(
                Measure(
                    "app.benchmarks.inspection.detection",
                    folder="neu_det",
                    quick={"epochs": 1, "rounds": 2},
                    time_limit_s=5400,
                ),
            ),
        ),
        Area(
            "calibration",
            "Calibration of the threshold",
            # Twenty splits of five data sets are 1,100 fits, half an hour of one processor.
            measures=(Measure("app.benchmarks.inspection.calibration", quick={"splits": 2}, time_limit_s=10800),),
        ),
        Area(
            "skab",
            "Sensor anomaly model",
            measures=(Measure("app.benchmarks.inspection.skab", folder="skab", quick={"seeds": 1}),),
        ),
        Area(
            "sensors",
            "Sensor anomaly models over all sets",
            measures=(
                Measure("app.benchmarks.inspection.sensors", quick={"seeds": 1, "discord": False}, time_limit_s=3600),
            ),
        ),
        Area(
            "codes",
            "Reading codes",
            measures=(
                Measure("app.benchmarks.inspection.codes", folder="codes"),
                Measure("app.benchmarks.inspection.hard_codes", folder="codes_dpm"),
            ),
        ),
        Area(
            "sources",
            "Image sources",
            measures=(Measure("app.benchmarks.sources.returning", folder=None, quick={"rounds": 1}),),
        ),
        Area(
            "server",
            "The central server",
            measures=(
                # First, as it makes many files: for each, ext4 looks past those that were removed in the last minutes,
                # and other measures remove theirs.
                Measure("app.benchmarks.server.executions", folder="weights", quick={"rounds": 8}),
                Measure("app.benchmarks.server.writers", folder=None, quick={"seconds": 1.0, "rounds": 1}),
                Measure("app.benchmarks.server.load", folder=None, quick={"seconds": 1.0, "rounds": 1}),
                Measure("app.benchmarks.server.anomaly", folder=None, quick={"seconds": 1.0, "rounds": 1}),
                Measure(
                    "app.benchmarks.server.crowd", folder=None, quick={"seconds": 1.0, "rounds": 1, "sessions": 10_000}
                ),
                Measure("app.benchmarks.server.live_clients", folder=None, quick={"clients": 50}),
                Measure("app.benchmarks.server.services", quick={"calls": 3, "rounds": 1}),
                Measure("app.benchmarks.server.streams", quick={"seconds": 2.0, "rounds": 1}),
                Measure("app.benchmarks.server.answers", folder=None, quick={"sessions": 10_000, "rounds": 1}),
                Measure(
                    "app.benchmarks.server.statistics",
                    folder=None,
                    quick={"sessions": 5_000, "rounds": 2, "built": 500},
                ),
            ),
        ),
        Area(
            "sync",
            "Synchronisation",
            measures=(
                Measure("app.benchmarks.sync.records", folder=None, quick={"rounds": 1, "of_parts": 0.02}),
                Measure("app.benchmarks.sync.backlog", folder=None, quick={"changes": 900}),
                Measure("app.benchmarks.sync.beside", folder=None, quick={"parts": 10, "backlog": 100}),
                Measure("app.benchmarks.sync.crowds", folder=None, quick={"steady": 4, "seconds": 3.0, "returning": 4}),
            ),
        ),
        Area("command", "The command line", probes=(Probe("app.benchmarks.command_start"),)),
        Area(
            "window",
            "The station's window",
            probes=(Probe("app.benchmarks.window.start", environment={"QT_QPA_PLATFORM": "offscreen"}),),
        ),
    )
}
ALL = "all"


def chosen_areas(name: str) -> list[Area]:
    """Return the area of a name; all of them for ``all``.

    Raises:
        KeyError: when there is none of that name.
    """
    return list(AREAS.values()) if name == ALL else [AREAS[name]]


def data_of_environment() -> Path | None:
    """Return the folder of the data sets that ``IMAGEFLOW_DATA`` names, None when it names none."""
    given = os.environ.get("IMAGEFLOW_DATA")
    return Path(given) if given else None
