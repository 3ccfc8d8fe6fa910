"""How a module of the product is started in a process of its own."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module`` in a fresh interpreter.

    The folder the user works in is no place modules are imported from: a ``torch.py`` of theirs is not ours to run.
    What it reads and prints is UTF-8 whatever the system speaks, as those who listen to it expect.
    """
    return [sys.executable, "-X", "utf8", "-P", "-m", module, *arguments]


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Keep Ctrl-C and SIGTERM from striking within; the one that came strikes when the block is left.

    For what must not be left half done, as starting a process: interrupted between its start and the moment its
    starter knows of it, it would go on alone. Only the main thread is ever interrupted; in others this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    # None: set by what is not Python, which could not be put back; SIG_DFL and SIG_IGN interrupt no Python code.
    held = [number for number in numbers if callable(before[number])]
    for number in held:
        signal.signal(number, lambda sent, _frame: came.append(sent))
    try:
        yield
    finally:
        for number in held:
            signal.signal(number, before[number])
        if came:
            signal.raise_signal(came[0])
