"""Measures the way of ``imageflow station`` to its first painted window: time since the process began, and memory."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from inspection.benchmarks.probing import Row, print_values, resident_megabytes

# What a window must not wait for: training, and the inference runtime that the first inspection loads.
LATER = ("torch", "ultralytics", "openvino", "matplotlib")
ROWS = (
    Row("first_paint_s", "s", "start of the process to the first painted window"),
    Row("first_paint_memory_mb", "MB", "memory of the process then"),
    Row("sign_in_s", "s", "start of the process to the sign-in screen, the store open"),
    Row("window_memory_mb", "MB", "memory of the process then; neither torch nor OpenVINO is loaded"),
)


def seconds_since_the_process_began() -> float:
    """Return the age of this process, interpreter start included; steps of 10 ms."""
    stat = Path("/proc/self/stat").read_text(encoding="ascii")
    began_ticks = int(stat.rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began_ticks / os.sysconf("SC_CLK_TCK")


def main(folder: Path, quick: bool) -> Mapping[str, float]:
    """Open a new store and its window, and return the values at its first paint and when sign-in is there."""
    del quick
    from PySide6.QtCore import QEvent, QObject, QTimer

    from app.settings import load_settings
    from app.station_run import StationRun

    class FirstPaint(QObject):
        """Takes the figures at the first paint."""

        figures: dict[str, float] | None = None

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
            del watched
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

    with tempfile.TemporaryDirectory(dir=folder) as new:
        store = Path(new) / "store"
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
    return {**(first.figures or {}), **figures}


if __name__ == "__main__":
    print_values(main)
