import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from app.command_line.options import report_when_stopped
from models.messages import error_text
from tests.support.awaiting import wait_until
from tests.support.unheard_signals import signal_beside_main_thread

WINDOW = """
import sys
from PySide6.QtCore import QEvent, QObject, QTimer
from app.window.shell.application import prepare_application
from app.window.shell.interruption import interruptible

class Filter(QObject):
    def eventFilter(self, watched, event):
        return False

application = prepare_application()
application.setQuitOnLastWindowClosed(False)
watching = Filter()
application.installEventFilter(watching)
busy = QTimer()
busy.timeout.connect(lambda: None)
if sys.argv[1] == "busy":
    busy.start(0)
QTimer.singleShot(0, lambda: print("shown", flush=True))
try:
    with interruptible(application):
        application.exec()
except KeyboardInterrupt:
    print("closed", flush=True)
"""


COMMAND = """
import subprocess
import threading
import typer
import app.command_line
from app.benchmarks.processes import run_module

class Announced(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print(self.pid, flush=True)

threading.Thread(target=threading.Event().wait, daemon=True).start()
subprocess.Popen = Announced
commands = typer.Typer()

@commands.command()
def waits():
    run_module("timeit", ["-n", "1", "import time; time.sleep(600)"])

app.command_line.command_group = lambda: typer.main.get_command(commands)
app.command_line.main([])
"""


@pytest.mark.parametrize("state", ["busy", "idle"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_window_in_order_without_a_complaint_of_qt(state: str, number: signal.Signals) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(
        [sys.executable, "-c", WINDOW, state],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "shown\n"
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (out, process.returncode) == ("closed\n", 0)
    assert "Traceback" not in err
    assert "Error calling Python override" not in err


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def end_of_terminated_command(terminate: Callable[[int], None]) -> int:
    """Terminate a command that waits for a process it started, and return its exit code once that process is gone."""
    with subprocess.Popen([sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            child = int(process.stdout.readline())
            terminate(process.pid)
            code = process.wait(timeout=60)
        finally:
            process.kill()
    # It ends a moment after the one that started it.
    assert wait_until(lambda: is_gone(child), seconds=60)
    return code


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that another process could send")
def test_a_terminated_command_takes_the_processes_it_started_with_it() -> None:
    assert end_of_terminated_command(lambda process_id: os.kill(process_id, signal.SIGTERM)) == 130


@pytest.mark.skipif(sys.platform != "linux", reason="sends a signal to one thread of another process")
def test_a_command_hears_a_signal_that_came_just_before_it_waits() -> None:
    assert end_of_terminated_command(partial(signal_beside_main_thread, number=signal.SIGTERM)) == 130


def test_ctrl_c_in_a_training_says_that_the_model_was_not_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "m.model"
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "en")
    with pytest.raises(KeyboardInterrupt), report_when_stopped(model):
        raise KeyboardInterrupt
    text = error_text("training-stopped", {"model": model}, "en")
    assert capsys.readouterr().err == f"{text.detail} {text.advice}\n"


def test_what_a_stopped_training_says_is_in_the_users_language(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "ja")
    with pytest.raises(KeyboardInterrupt), report_when_stopped(tmp_path / "m.model"):
        raise KeyboardInterrupt
    text = error_text("training-stopped", {"model": tmp_path / "m.model"}, "ja")
    assert capsys.readouterr().err == f"{text.explanation}\n"


def test_ctrl_c_after_the_model_was_written_claims_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = tmp_path / "m.model"

    def written_then_stopped() -> None:
        with report_when_stopped(model):
            model.write_bytes(b"model")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written_then_stopped()
    assert capsys.readouterr().err == ""
