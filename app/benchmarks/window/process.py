"""One start of ``imageflow station``, up to its sign-in screen: time since the process began, memory, what is loaded.

``python -m app.benchmarks.window.process STORE`` prints one JSON object; the store is made when it is not there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from app.benchmarks.probing import resident_megabytes

NEVER_BEFORE_SIGN_IN = (
    # Training, inference and what reads images, codes and cameras: loaded with the first inspection or in the process
    # that needs it.
    *("torch", "torchvision", "ultralytics", "nncf", "openvino", "cv2", "zxingcpp", "scipy", "sklearn", "PIL"),
    *("matplotlib", "pyqtgraph", "numpy", "inspection.pipeline", "inspection.sources", "inspection.components"),
    # Talking to a server: loaded with the first request.
    *("httpx", "rich", "fastapi", "uvicorn", "grpc"),
)
NEVER_BEFORE_FIRST_PAINT = (
    *NEVER_BEFORE_SIGN_IN,
    *(
        "sqlalchemy",
        "alembic",
        "keyring",
        "app.window.shell.station",
        "app.station.workspace",
        "models.database",
        "sync.station.engine",
    ),
)


class TooMuchLoaded(RuntimeError):
    """A module was loaded that the window must not wait for."""


def seconds_since_the_process_began() -> float:
    """Return the age of this process, interpreter start included; steps of 10 ms."""
    stat = Path("/proc/self/stat").read_text(encoding="ascii")
    began_ticks = int(stat.rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began_ticks / os.sysconf("SC_CLK_TCK")


def loaded_of(names: Iterable[str]) -> list[str]:
    """Return which of these modules are loaded in this process."""
    return [name for name in names if name in sys.modules]


def start(store: Path) -> dict[str, float]:
    """Open the store and its window and return the values at its first paint and when sign-in is there.

    Raises:
        TooMuchLoaded: naming the modules.
    """
    from PySide6.QtCore import QEvent, QObject, QTimer

    from app.station.settings import load_settings
    from app.window.shell.run import StationRun

    figures: dict[str, float] = {}
    too_much: dict[str, list[str]] = {}

    class FirstPaint(QObject):
        """Takes the figures at the first paint."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
            del watched
            if event.type() is QEvent.Type.Paint and not figures:
                figures.update(
                    first_paint_s=seconds_since_the_process_began(), first_paint_memory_mb=resident_megabytes()
                )
                too_much["the first paint"] = loaded_at_first_paint
            return False

    def look() -> None:
        if run.station is None or not run.station.window.isVisible():
            return
        timer.stop()
        run.station.window.repaint()
        figures.update(sign_in_s=seconds_since_the_process_began(), window_memory_mb=resident_megabytes())
        too_much["sign-in"] = loaded_of(NEVER_BEFORE_SIGN_IN)
        run.station.window.close()

    run = StationRun(store, load_settings(store), language="ja")
    # Looked at here: the store is opened behind the paint, in another thread.
    loaded_at_first_paint = loaded_of(NEVER_BEFORE_FIRST_PAINT)
    first = FirstPaint()
    run.start_window.installEventFilter(first)
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(look)
    timer.start()
    run.run()
    for when, names in too_much.items():
        if names:
            raise TooMuchLoaded(f"loaded before {when}: {names}")
    return figures


if __name__ == "__main__":
    sys.stdout.write(json.dumps(start(Path(sys.argv[1]))) + "\n")
