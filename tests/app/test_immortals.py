from __future__ import annotations

import subprocess
import sys

import pytest

QUIET_HOURS = """
import sys
import app
from PySide6.QtCore import QCoreApplication, QTimer
qt = QCoreApplication([])
left = 200_000
def tick():
    global left
    left -= 1
    if not left:
        qt.quit()
timer = QTimer()
timer.setInterval(0)
timer.timeout.connect(tick)
timer.start()
qt.exec()
for constant in (None, True, False):
    assert sys.getrefcount(constant) > 100, constant
"""


@pytest.mark.timeout(60)
def test_a_window_that_runs_for_hours_does_not_use_up_the_references_of_none() -> None:
    # 200,000 timer ticks: far more than the few thousand references that None has on Python 3.11.
    done = subprocess.run([sys.executable, "-c", QUIET_HOURS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
