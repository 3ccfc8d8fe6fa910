"""Starting modules of the product as subprocesses."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module`` in a new interpreter.

    ``-P`` keeps the working folder off the import path, so that a user's ``torch.py`` is not imported; ``-X utf8``
    makes standard streams UTF-8 in every locale.
    """
    return [sys.executable, "-X", "utf8", "-P", "-m", module, *arguments]


def end_process(process: subprocess.Popen[Any], within_s: float) -> None:
    """End a process cleanly, and kill it when it has not ended in time; does nothing to one that has ended."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Defer SIGINT and SIGTERM until the block is left, then raise the first one received.

    For operations that must not be interrupted, such as starting a subprocess, which would be orphaned when interrupted
    before ``Popen`` returns. Signals only interrupt the main thread; in other threads this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    # None: a handler not set from Python cannot be restored; SIG_DFL and SIG_IGN do not interrupt Python code.
    deferred = [number for number in numbers if callable(before[number])]
    for number in deferred:
        signal.signal(number, lambda sent, _frame: received.append(sent))
    try:
        yield
    finally:
        for number in deferred:
            signal.signal(number, before[number])
        if received:
            signal.raise_signal(received[0])
