"""Measuring in processes of their own, which take their children with them when they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inspection.runtime.subprocesses import deferred_interrupts, module_command
from models.errors import ImageFlowError
from models.messages import Language

PROBE_LIMIT_S = 600.0
_TOLD = 2_000
_HEARD_WITHIN_S = 1.0


class MeasurementFailed(ImageFlowError):
    """A measuring process failed because of a bug in it or in what it measures; the message holds its output."""


def run_module(
    module: str, arguments: list[str], environment: Mapping[str, str] | None = None, time_limit_s: float = PROBE_LIMIT_S
) -> str:
    """Run a module in a fresh interpreter and return what it prints.

    Raises:
        MeasurementFailed: when it fails or takes longer than the limit.
    """
    process: subprocess.Popen[str] | None = None
    try:
        # A signal that came before the process has its name here would leave it behind.
        with deferred_interrupts():
            process = subprocess.Popen(  # noqa: S603 - our own modules
                module_command(module, *arguments),
                env={**os.environ, **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        out, err = _output_of(process, time_limit_s)
    except subprocess.TimeoutExpired as error:
        raise MeasurementFailed(f"{module} took longer than {time_limit_s:.0f} s") from error
    finally:
        if process is not None and process.poll() is None:
            # It may have processes of its own: all of its session end.
            os.killpg(process.pid, signal.SIGKILL)
            _abandon(process)
    if process.returncode:
        raise MeasurementFailed(f"{module} ended with {process.returncode}: {err.strip()[-_TOLD:]}")
    return out


def _output_of(process: subprocess.Popen[str], time_limit_s: float) -> tuple[str, str]:
    """Return what a process has written to its pipes when it has ended.

    It waits for short spans: a signal that arrives just before the system call that waits does not interrupt the call,
    and its handler runs when the call returns.

    Raises:
        subprocess.TimeoutExpired: when it takes longer than the limit.
    """
    until = time.monotonic() + time_limit_s
    while True:
        span = min(_HEARD_WITHIN_S, max(0.0, until - time.monotonic()))
        try:
            return process.communicate(timeout=span)
        except subprocess.TimeoutExpired:
            if time.monotonic() >= until:
                raise


def _abandon(process: subprocess.Popen[str]) -> None:
    """Wait for a killed process, leaving what its pipes hold: after an interrupted ``communicate`` another may fail."""
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def run_probe(module: str, folder: Path, environment: Mapping[str, str], *, quick: bool) -> dict[str, float]:
    """Run a probe once and return the values it prints.

    Raises:
        MeasurementFailed: when it fails.
    """
    out = run_module(module, [str(folder), *(["--quick"] if quick else [])], environment)
    values: dict[str, float] = json.loads(out.splitlines()[-1])
    return values


def run_measure(
    module: str, data: Path, arguments: Mapping[str, object], language: Language, time_limit_s: float
) -> dict[str, Any]:
    """Run ``measure`` of a module and return ``figures`` and ``notes``, or ``trouble``.

    Raises:
        MeasurementFailed: when it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        task, answer = Path(folder) / "task.json", Path(folder) / "answer.json"
        asked = {
            "module": module,
            "data": str(data),
            "arguments": dict(arguments),
            "answer": str(answer),
            "language": language,
        }
        task.write_text(json.dumps(asked), encoding="utf-8")
        run_module("app.benchmarks.measure_process", [str(task)], time_limit_s=time_limit_s)
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found


def suspend(process_id: int) -> None:
    """Stop a process that this one has started, until SIGCONT; return once all its threads have stopped.

    On a busy computer threads that run go on for more than a tenth of a second after the signal was sent.
    """
    os.kill(process_id, signal.SIGSTOP)
    os.waitid(os.P_PID, process_id, os.WSTOPPED)
