"""What holds for every test: no display is needed, and nothing is left behind."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from models.ids import new_id

# What a helper asserts shows its values too.
pytest.register_assert_rewrite("tests.support")
pytest_plugins = ["tests.support.trained_model", "tests.support.engine_fixtures"]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Nothing is kept in, or found in, the keyring of this computer, nor in one that a test has defined.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
# What somebody has exported for a server, as ``make engines`` prints it, is meant for no test.
OF_TESTS = {"IMAGEFLOW_DATA", "IMAGEFLOW_PROOF_KILLS"}
for name in [name for name in os.environ if name.startswith(("IMAGEFLOW_", "AWS_")) and name not in OF_TESTS]:
    del os.environ[name]
# Servers of tests run side by side: their gRPC services take any ports that are free.
os.environ["IMAGEFLOW_SERVER_GRPC_PORT"] = "0"

# Where a checkout may have the data sets beside it; the Makefile looks there too.
DATA_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
if DATA_BESIDE.is_dir():
    os.environ.setdefault("IMAGEFLOW_DATA", str(DATA_BESIDE))

# Threads of libraries that keep a pool for the life of the process; gRPC's are the one that waits for its queue.
LASTING_THREADS = ("AnyIO worker", "asyncio_", "uvloop_", "ThreadPoolExecutor", "pydevd", "Timeout")
GRACE_S = 5.0

SLOW_S = 10.0
"""A call that takes longer deserves the mark ``slow``: two seconds of an idle core, with room for a busy one."""
# What trains, or lets another library compute the same, before the first test of its file begins.
BY_FIXTURE = {"data": {"data"}, "slow": {"calibration", "compared", "padim", "through_crop"}}
# Helpers that start the product, or a server of somebody else, as a process of its own.
WHOLE_PROGRAMS = {
    "tests.support.browser",
    "tests.support.real_server",
    "tests.support.offline",
    "app.benchmarks.sources.rtsp_server",
    "app.benchmarks.sources.fake_genicam_camera",
}


def pytest_configure(config: pytest.Config) -> None:
    # An example that waits for a busy processor has found nothing; what else the present profile says stays.
    hypothesis.settings.register_profile(
        "unhurried",
        hypothesis.settings.default,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("unhurried")
    # Imported here: its own assertions are rewritten too.
    from tests.support import cheap_digests

    cheap_digests.install()
    # Said by the offscreen platform for every window with a least size; it has no window frame that could keep it.
    config.addinivalue_line("qt_log_ignore", "This plugin does not support propagateSizeHints")


def pytest_collection() -> None:
    # Nothing that is made while collecting is thrown away before the end.
    gc.disable()


def pytest_collection_finish() -> None:
    """Keep the collected modules out of every later search for garbage: it is made after each test of the window."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what a test needs by what it uses, so that nobody forgets; refuse names that differ by process."""
    this_moment = new_id()[:6]
    for item in items:
        if f"/{this_moment}" in item.nodeid or f"-{this_moment}" in item.nodeid or f"[{this_moment}" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid}: an id made while collecting gives each worker other tests")
        if not isinstance(item, pytest.Function):
            continue
        for name, fixtures in BY_FIXTURE.items():
            if not fixtures.isdisjoint(item.fixturenames):
                item.add_marker(name)
        used = {getattr(thing, "__module__", None) for thing in vars(item.module).values()}
        if "e2e" in item.path.parent.parts or not used.isdisjoint(WHOLE_PROGRAMS):
            item.add_marker("e2e")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that took long without being marked so."""
    unmarked = [
        report
        for report in terminalreporter.getreports("passed")
        if report.when == "call" and report.duration > SLOW_S and not {"slow", "e2e"} & set(report.keywords)
    ]
    if unmarked:
        terminalreporter.section(f"took more than {SLOW_S:g} s without the mark slow", sep="-")
        for report in sorted(unmarked, key=lambda report: -report.duration):
            terminalreporter.line(f"{report.duration:6.1f} s  {report.nodeid}")


@pytest.fixture(autouse=True)
def english_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands speak English, whatever the system of the person who runs the tests speaks."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("IMAGEFLOW_LANGUAGE", raising=False)


@pytest.fixture(autouse=True)
def logs_stay_as_they_were() -> Iterator[None]:
    """Give back the set-up of logs that a server in this process has changed: its stream ends with its test."""
    log = sys.modules.get("structlog")
    before = log.get_config() if log is not None else None
    root = logging.getLogger()
    handlers, level = set(root.handlers), root.level
    yield
    for handler in set(root.handlers) - handlers:
        # Those of pytest for this phase stay: it takes them away itself.
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    root.setLevel(level)
    log = sys.modules.get("structlog")
    if before is not None and log.get_config() != before:
        log.configure(**before)
    elif before is None and log is not None:
        log.reset_defaults()


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
        thread for thread in threading.enumerate() if thread not in before and not _lasts(thread) and thread.is_alive()
    ]


def _lasts(thread: threading.Thread) -> bool:
    return thread.name.startswith(LASTING_THREADS) or thread.name.endswith("(_poll_wrapper)")


def _no_window_or_timer_is_left() -> None:
    if "PySide6.QtWidgets" not in sys.modules:
        return
    from PySide6.QtCore import QCoreApplication, QEvent, QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import getAllValidWrappers, isValid

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    windows = [widget for widget in QApplication.topLevelWidgets() if isValid(widget) and widget.isVisible()]
    assert not windows, f"windows are open: {windows}"
    timers = [thing for thing in getAllValidWrappers() if isinstance(thing, QTimer) and thing.isActive()]
    assert not timers, f"timers run on: {timers}"
