"""Runs the process that trains, and passes on what it reports."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inspection.runtime.subprocesses import end_process, module_command
from models.error_values import read_values
from models.errors import Unavailable

_MODULE = "inspection.sensor.training.process"
_STOP_S = 5.0


class TrainingProcess:
    """One training; it may be stopped from another thread.

    Args:
        folder: with what is to be trained.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(self, on_progress: Callable[[float], None]) -> list[dict[str, Any]]:
        """Train and return what the training found.

        Args:
            on_progress: called with percent, at least every few seconds.

        Raises:
            Unavailable: ``anomaly-training-ended`` when the process ends without a result, or as it says.
        """
        log = self._folder / "log.txt"
        with log.open("wb") as output:
            process = self._started(output)
            try:
                last = self._listen(process, on_progress)
                status = process.wait()
            finally:
                self.stop()
        if last.get("event") == "failed":
            raise Unavailable(last["code"], **read_values(last["values"]))
        if last.get("event") != "finished":
            raise Unavailable("anomaly-training-ended", status=status)
        findings: list[dict[str, Any]] = last["findings"]
        return findings

    def stop(self) -> None:
        """End the process if it runs, and keep one from starting."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is None:
            return
        end_process(process, _STOP_S)
        if process.stdout is not None:
            process.stdout.close()

    def _started(self, output: Any) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise Unavailable("anomaly-training-ended", status=0)
            self._process = subprocess.Popen(  # noqa: S603 - our own module, arguments as a list
                module_command(_MODULE, str(self._folder)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                encoding="utf-8",
            )
            return self._process

    @staticmethod
    def _listen(process: subprocess.Popen[str], on_progress: Callable[[float], None]) -> dict[str, Any]:
        last: dict[str, Any] = {}
        for line in process.stdout or ():
            last = json.loads(line)
            if last["event"] == "progress":
                on_progress(float(last["progress"]))
        return last
