"""One pass of a station in a process of its own: ``python -m app.benchmarks.sync.one_pass TASK``.

The task is one JSON object: ``store``, ``url``, ``device_id``, ``target_id``. Prints one: ``seconds``, ``pushed``,
``idle_mb`` and ``peak_mb`` of this process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from app.benchmarks.sync.memory import begin, growth
from app.benchmarks.sync.pairs import Enrolled, opened


def main(task_text: str) -> None:
    """Do the pass and print what it took."""
    task = json.loads(task_text)
    with opened(Path(task["store"]), Enrolled(task["device_id"], task["target_id"]), task["url"]) as station:
        station.engine.client.authenticate_device()
        station.engine.status()
        idle = begin(os.getpid())
        began = time.perf_counter()
        report = station.engine.run_once()
        seconds = time.perf_counter() - began
        took = growth(os.getpid(), idle)
    found = {"seconds": seconds, "pushed": report.pushed, "idle_mb": took.idle_mb, "peak_mb": took.peak_mb}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
