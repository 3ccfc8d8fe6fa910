"""Measures the way of ``imageflow station`` to its first painted window and to its sign-in screen."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.benchmarks.probing import Row, print_values
from app.benchmarks.processes import run_module

ROWS = (
    Row("first_paint_s", "s", "start of the process to the first painted window"),
    Row("first_paint_memory_mb", "MB", "memory of the process then"),
    Row("sign_in_s", "s", "start of the process to the first screen of a new station, its store made"),
    Row("sign_in_again_s", "s", "start of the process to the sign-in screen of a station that has a server"),
    Row("window_memory_mb", "MB", "memory of the process then; neither torch nor OpenVINO nor NumPy is loaded"),
)
_NO_SERVER = "http://127.0.0.1:9"


def main(folder: Path, quick: bool) -> Mapping[str, float]:
    """Start a station on a new store, then on the same as that of an enrolled station, each in a process of its own."""
    del quick
    with tempfile.TemporaryDirectory(dir=folder) as new:
        store = Path(new) / "store"
        first = _started(store)
        _enrol(store)
        again = _started(store)
    return {
        "first_paint_s": again["first_paint_s"],
        "first_paint_memory_mb": again["first_paint_memory_mb"],
        "sign_in_s": first["sign_in_s"],
        "sign_in_again_s": again["sign_in_s"],
        "window_memory_mb": again["window_memory_mb"],
    }


def _started(store: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads(run_module("app.benchmarks.window.process", [str(store)]).splitlines()[-1])
    return found


def _enrol(store: Path) -> None:
    """Let the store be that of a station whose server cannot be reached, as in the morning before the network is up."""
    from app.station.store_layout import DATABASE
    from models.database import Database
    from models.ids import new_id
    from sync.station.state import DEVICE_ID, SERVER_URL, set_value

    database = Database.at(store / DATABASE)
    with database.transaction() as session:
        set_value(session, DEVICE_ID, new_id())
        set_value(session, SERVER_URL, _NO_SERVER)
    database.close()


if __name__ == "__main__":
    print_values(main)
