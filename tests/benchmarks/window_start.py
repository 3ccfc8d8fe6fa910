"""Measures the way of ``imageflow station`` to its first painted window: time since the process began, and memory."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measuring import resident_megabytes

# What a window must not wait for: training, and the inference runtime that the first inspection loads.
LATER = ("torch", "ultralytics", "openvino")


def seconds_since_the_process_began() -> float:
    """Return the age of this process, interpreter start included; steps of 10 ms."""
    stat = Path("/proc/self/stat").read_text(encoding="ascii")
    began_ticks = int(stat.rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began_ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Open a new store and its window, and print the figures at its first paint and when sign-in is there."""
    from PySide6.QtCore import QEvent, QObject, QTimer

    from app.settings import load_settings
    from app.station_run import StationRun

    class FirstPaint(QObject):
        """Takes the figures at the first paint."""

        figures: dict[str, float] | None = None

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
            if event.type() is QEvent.Type.Paint and self.figures is None:
                self.figures = {
                    "first_paint_s": seconds_since_the_process_began(),
                    "first_paint_memory_mb": resident_megabytes(),
                }
            return False

    figures: dict[str, float] = {}

    def look() -> None:
        if run.station is None or not run.station.window.isVisible():
            return
        timer.stop()
        run.station.window.repaint()
        figures.update(sign_in_s=seconds_since_the_process_began(), window_memory_mb=resident_megabytes())
        figures.update(loaded=float(any(name in sys.modules for name in LATER)))
        run.station.window.close()

    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        run = StationRun(store, load_settings(store), language="ja")
        first = FirstPaint()
        run.start_window.installEventFilter(first)
        timer = QTimer()
        timer.setInterval(5)
        timer.timeout.connect(look)
        timer.start()
        run.run()
    if figures.pop("loaded"):
        raise RuntimeError(f"loaded on the way to the window: {[name for name in LATER if name in sys.modules]}")
    sys.stdout.write(json.dumps({**(first.figures or {}), **figures}) + "\n")


if __name__ == "__main__":
    main()
