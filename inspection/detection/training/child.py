"""Running the training process, hearing what it tells, and ending it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inspection.runtime.cancellation import TrainingCancelled
from inspection.runtime.subprocesses import deferred_interrupts, module_command
from models.errors import Unavailable
from models.storage import not_written

_PATIENCE_S = 10.0
_LAST_LINES = 5
_LONGEST_LINE = 300


def run_training_process(
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    on_event: Callable[[dict[str, Any]], None],
    lock: int,
    cancel: threading.Event | None = None,
) -> None:
    """Run ``inspection.detection.training.process`` until it is done.

    The process is in a session of its own: a Ctrl-C in the terminal reaches this process, which then ends that one.
    It is ended whenever this function is left.

    Args:
        folder: of the run.
        environment: of ``quiet_environment``.
        log: gets what the libraries print, after what it holds already.
        on_event: called with each thing that is told.
        lock: descriptor of the folder's lock. The process inherits it where the system lets it: should this process be
            killed, the folder stays locked until that one has ended too.
        cancel: set it to end the training at its next word.

    Raises:
        TrainingCancelled: when ``cancel`` was set.
        Unavailable: ``detector-packages-missing``, ``detector-training-failed``, ``detector-training-ended``,
            ``file-not-written``, ``file-disk-full``; what it meets and has a text for.
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
    """Pass on what is told until nothing more comes; return the failure, if that was told."""
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
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _to_error(failure: dict[str, Any], log: Path) -> Unavailable:
    if "code" in failure:
        return Unavailable(failure["code"], **failure["values"])
    if failure["kind"] in {"ImportError", "ModuleNotFoundError"}:
        return Unavailable("detector-packages-missing", reason=failure["reason"])
    return Unavailable("detector-training-failed", reason=f"{failure['kind']}: {failure['reason']}", log=str(log))


def log_tail(log: Path) -> str:
    """Return the end of what a process wrote to its log, in one line."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return " / ".join(line[-_LONGEST_LINE:] for line in lines[-_LAST_LINES:])
