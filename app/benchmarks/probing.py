"""Probes: small measurements that run several times, each in a process of its own, the median counting.

A probe is a module with ``ROWS`` and ``main``; ``python -m MODULE FOLDER [--quick]`` prints its values as one JSON
object. The folder is one for all probes of a run: what one leaves there, the next may use.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from app.benchmarks.figures import Figure, at_most, judged_figure


@dataclass(frozen=True, slots=True)
class Row:
    """A value that a probe prints.

    Attributes:
        name: of the value and of its figure.
        unit: of it.
        what: it is, for people.
        at_most: the goal; None without one.
        note: what a reader must know.
    """

    name: str
    unit: str
    what: str
    at_most: float | None = None
    note: str = ""

    def figure(self, values: list[float]) -> Figure:
        """Return the figure of what the runs printed, the median."""
        middle = median(values)
        spread = f"median of {len(values)} runs, {min(values):.3g} to {max(values):.3g}" if len(values) > 1 else "1 run"
        return judged_figure(
            name=self.name,
            value=middle,
            unit=self.unit,
            what=self.what,
            goal=at_most(self.at_most),
            note="; ".join(part for part in (spread, self.note) if part),
        )


def print_values(main: Callable[[Path, bool], Mapping[str, float]]) -> None:
    """Run a probe's ``main`` with the arguments of this process and print its values."""
    values = main(Path(sys.argv[1]), "--quick" in sys.argv[2:])
    sys.stdout.write(json.dumps(dict(values)) + "\n")


def resident_megabytes(process: int | str = "self") -> float:
    """Return the memory of a process (by its id, by default this one) that is in RAM now, in MB (10^6 bytes)."""
    return _status(process, "VmRSS")


def peak_megabytes(process: int | str = "self") -> float:
    """Return the most memory that a process, by default this one, has had in RAM so far, in MB (10^6 bytes)."""
    return _status(process, "VmHWM")


def processor_seconds(process_id: int) -> float:
    """Return the processor time that a process has taken (Linux), in seconds."""
    stat = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _status(process: int | str, name: str) -> float:
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6  # the system says kB and means KiB
    raise RuntimeError("the system does not report the memory of a process")
