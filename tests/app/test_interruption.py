import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.command_line.options import tell_when_stopped

WINDOW = """
import sys
from PySide6.QtCore import QEvent, QObject, QTimer
from app.application import prepare_application
from app.interruption import interruptible

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


@pytest.mark.parametrize("state", ["busy", "idle"])
def test_ctrl_c_ends_a_window_in_order_and_without_a_complaint_of_qt(state: str) -> None:
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
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (out, process.returncode) == ("closed\n", 0)
    assert "Traceback" not in err
    assert "Error calling Python override" not in err


def test_ctrl_c_in_a_training_says_that_the_model_was_not_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = tmp_path / "m.model"
    with pytest.raises(KeyboardInterrupt), tell_when_stopped(model):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == f"stopped; {model} was not written\n"


def test_ctrl_c_after_the_model_was_written_claims_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = tmp_path / "m.model"

    def written_then_stopped() -> None:
        with tell_when_stopped(model):
            model.write_bytes(b"model")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written_then_stopped()
    assert capsys.readouterr().err == ""
