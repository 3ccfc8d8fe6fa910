"""How much memory a backlog of weeks takes on either side while it goes to the server."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from app.benchmarks.figures import Figure, at_most, judged_figure
from app.benchmarks.processes import run_module
from app.benchmarks.runner import require_linux
from app.benchmarks.sync.memory import Growth, begin, growth
from app.benchmarks.sync.pairs import prepare_with_parts, serving, station_folder
from app.benchmarks.sync.recording import CHANGES_OF_A_PART

CHANGES = 100_000
MOST_MB = 150.0


def measure(data: Path, *, changes: int = CHANGES) -> list[Figure]:
    """Return the memory that a backlog takes above idle, on the station and on the server, and the time.

    Args:
        data: not used.
        changes: that wait.

    Raises:
        Unavailable: ``benchmark-system`` where memory cannot be read.
    """
    del data
    require_linux()
    parts = -(-changes // CHANGES_OF_A_PART)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        enrolled = prepare_with_parts(folder, parts, 0)
        with serving(folder) as (url, process_id):
            task = {"store": str(station_folder(folder)), "url": url, **enrolled.as_json()}
            idle = begin(process_id)
            found = json.loads(run_module("app.benchmarks.sync.one_pass", [json.dumps(task)]))
            server = growth(process_id, idle)
    if found["pushed"] != parts * CHANGES_OF_A_PART:
        raise RuntimeError(f"the pass did not bring everything: {found}")
    what = f"a backlog of {found['pushed']} changes"
    return [
        _figure("station", what, Growth(found["idle_mb"], found["peak_mb"])),
        _figure("server", what, server),
        Figure(name="sync_backlog_s", value=found["seconds"], unit="s", what=f"{what}: a pass that brings it over"),
    ]


def _figure(side: str, what: str, took: Growth) -> Figure:
    return judged_figure(
        name=f"sync_backlog_{side}_mb",
        value=took.above_idle_mb,
        unit="MB",
        what=f"{what}: most memory of the {side} above idle",
        goal=at_most(MOST_MB),
        note=f"{took.idle_mb:.0f} MB idle, {took.peak_mb:.0f} MB at most",
    )
