"""What holds for every test: no display is needed, and nothing is left behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Iterator

import hypothesis
import pytest

# What a helper asserts shows its values too.
pytest.register_assert_rewrite("tests.support")
pytest_plugins = ["tests.support.trained_model"]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Threads of libraries that keep a pool for the life of the process.
LASTING_THREADS = ("AnyIO worker", "asyncio_", "ThreadPoolExecutor", "pydevd", "Timeout")
GRACE_S = 5.0


def pytest_configure(config: pytest.Config) -> None:
    # An example that waits for a busy processor has found nothing; what else the present profile says stays.
    hypothesis.settings.register_profile(
        "unhurried",
        hypothesis.settings.default,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("unhurried")
    # Said by the offscreen platform for every window with a least size; it has no window frame that could keep it.
    config.addinivalue_line("qt_log_ignore", "This plugin does not support propagateSizeHints")


@pytest.fixture(autouse=True)
def english_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands speak English, whatever the system of the person who runs the tests speaks."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("IMAGEFLOW_LANGUAGE", raising=False)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test after which a thread runs on, or a window or a timer of the user interface lives on."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + GRACE_S
    while (left := _threads_beside(before)) and time.monotonic() < deadline:
        left[0].join(0.05)
    assert not left, f"threads run on: {[thread.name for thread in left]}"
    if "qtbot" in request.fixturenames:
        _no_window_or_timer_is_left()


def _threads_beside(before: set[threading.Thread]) -> list[threading.Thread]:
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before and not thread.name.startswith(LASTING_THREADS) and thread.is_alive()
    ]


def _no_window_or_timer_is_left() -> None:
    if "PySide6.QtWidgets" not in sys.modules:
        return
    from PySide6.QtCore import QCoreApplication, QEvent, QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import isValid

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    windows = [widget for widget in QApplication.topLevelWidgets() if isValid(widget) and widget.isVisible()]
    assert not windows, f"windows are open: {windows}"
    timers = [thing for thing in gc.get_objects() if isinstance(thing, QTimer) and isValid(thing) and thing.isActive()]
    assert not timers, f"timers run on: {timers}"
