"""``make proofs``: kills API, worker and service fifty times under load, half of them with executions over a broker.

Ends with 1 when an execution was lost.

python -m tests.proofs.executions --kills 50
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from app.benchmarks import private_postgresql
from models.ids import new_id
from tests.support.killed_executions import kill_under_load, losses, plant, report, wait_for_ends
from tests.support.private_broker import broker


def main() -> int:
    """Run the proof, print what was done and what was lost, and return the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    programs = private_postgresql.find_programs()
    if programs is None:
        sys.stderr.write("PostgreSQL is not installed on this computer (apt-get install postgresql)\n")
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        private_postgresql.cluster(programs) as socket_folder,
        broker(Path(folder)) as (bootstrap, _),
    ):
        halves = (("direct", "", given.kills - given.kills // 2), ("over the broker", bootstrap, given.kills // 2))
        lost = [
            line
            for name, bus, kills in halves
            for line in _prove(name, Path(folder) / name.replace(" ", "-"), socket_folder, bus, kills, given.seed)
        ]
    sys.stdout.write("\n".join([*lost, f"{len(lost)} losses"]) + "\n")
    return 1 if lost else 0


def _prove(name: str, folder: Path, socket_folder: str, bus: str, kills: int, seed: int) -> list[str]:
    """Kill so often and return what was lost."""
    folder.mkdir()
    with private_postgresql.database(socket_folder, f"t{new_id()}") as url, plant(folder, url, bus) as running:
        kill_under_load(running, kills, seed)
        wait_for_ends(running)
        lost = losses(running)
        if len(running.accepted) < kills:
            lost.append("too few executions were accepted for a proof")
        sys.stdout.write(f"{name}: {report(running)}\n")
    return lost


if __name__ == "__main__":
    sys.exit(main())
