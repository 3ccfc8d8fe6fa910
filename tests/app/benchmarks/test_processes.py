"""Processes that measure and are measured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.benchmarks.processes import suspend

BUSY = """
import hashlib, sys, threading
data = bytes(1 << 20)
def work():
    while True:
        hashlib.sha256(data).digest()
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
print("busy", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the states of threads from /proc")
def test_every_thread_of_a_suspended_process_stands_still() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"busy\n"
            suspend(process.pid)
            threads = Path(f"/proc/{process.pid}/task").iterdir()
            states = [(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in threads]
            assert states == ["T"] * 5
            os.kill(process.pid, signal.SIGCONT)
        finally:
            process.kill()
