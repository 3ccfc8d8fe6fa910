"""Running the training subprocess, receiving its events, and stopping it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inspection.runtime.cancellation import TrainingCancelled
from inspection.runtime.subprocesses import deferred_interrupts, end_process, module_command
from models.error_values import read_values
from models.errors import Unavailable
from models.storage import not_written

_STOP_TIMEOUT_S = 10.0
_TAIL_LINES = 5
_LONGEST_LINE = 300


def run_training_process(
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    on_event: Callable[[dict[str, Any]], None],
    lock: int,
    cancel: threading.Event | None = None,
) -> None:
    """Run ``inspection.detection.training.process`` until it exits.

    The subprocess has its own session: a Ctrl-C in the terminal reaches this process, which then stops the subprocess.
    It is stopped whenever this function is left.

    Args:
        folder: of the run.
        environment: of ``quiet_environment``.
        log: file the output of the libraries is appended to.
        on_event: called with each event.
        lock: descriptor of the folder's lock. The subprocess inherits it where the system allows: if this process is
            killed, the folder stays locked until the subprocess has exited too.
        cancel: event that stops the training at its next event.

    Raises:
        TrainingCancelled: when ``cancel`` was set.
        Unavailable: ``detector-packages-missing``, ``detector-training-failed``, ``detector-training-ended``,
            ``file-not-written``, ``file-disk-full``, or the user-facing error of the subprocess.
    """
    try:
        output = log.open("ab")
    except OSError as error:
        raise not_written(log, error) from error
    with output:
        process: subprocess.Popen[str] | None = None
        try:
            with deferred_interrupts():
                process = subprocess.Popen(  # noqa: S603 - our own module, arguments as a list
                    module_command("inspection.detection.training.process", str(folder)),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    env=dict(environment),
                    cwd=folder,
                    start_new_session=os.name == "posix",
                    pass_fds=(lock,) if os.name == "posix" else (),
                    text=True,
                    encoding="utf-8",
                )
            failure = _listen(process, on_event, cancel)
            code = process.wait()
        finally:
            if process is not None:
                _end(process)
    if failure is not None:
        raise _to_error(failure, log)
    if code != 0:
        raise Unavailable("detector-training-ended", status=code, reason=log_tail(log), log=str(log))


def _listen(
    process: subprocess.Popen[str], on_event: Callable[[dict[str, Any]], None], cancel: threading.Event | None
) -> dict[str, Any] | None:
    """Pass on events until the stream ends; return the failure event, if any."""
    failure = None
    for line in process.stdout or ():
        if cancel is not None and cancel.is_set():
            raise TrainingCancelled
        event = json.loads(line)
        if event["stage"] == "failed":
            failure = event
        else:
            on_event(event)
    return failure


def _end(process: subprocess.Popen[str]) -> None:
    end_process(process, _STOP_TIMEOUT_S)
    if process.stdout is not None:
        process.stdout.close()


def _to_error(failure: dict[str, Any], log: Path) -> Unavailable:
    if "code" in failure:
        return Unavailable(failure["code"], **read_values(failure["values"]))
    if failure["kind"] in {"ImportError", "ModuleNotFoundError"}:
        return Unavailable("detector-packages-missing", reason=failure["reason"])
    return Unavailable("detector-training-failed", reason=f"{failure['kind']}: {failure['reason']}", log=str(log))


def log_tail(log: Path) -> str:
    """Return the last lines of a log, joined into one."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return " / ".join(line[-_LONGEST_LINE:] for line in lines[-_TAIL_LINES:])
