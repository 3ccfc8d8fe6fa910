"""Ctrl-C in the terminal a window was started from, or SIGTERM: the window ends in order, without Qt's complaints."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from PySide6.QtCore import QCoreApplication, QTimer

_LOOK_MS = 200


@contextmanager
def interruptible(application: QCoreApplication) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the event loop that runs within; call on the main thread.

    Python would raise wherever it happens to be, as within a method that Qt calls, where nobody can catch it. And it
    looks for signals only while Python runs: a timer sees to that where nothing happens in the window.

    Raises:
        KeyboardInterrupt: after the loop, when it was ended so.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del number, frame
        asked = True

    def look() -> None:
        if asked:
            application.exit()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(_LOOK_MS)
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        timer.stop()
    if asked:
        raise KeyboardInterrupt
