"""Signals that do not interrupt what the main thread waits in, as one that comes just before it waits does not."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path


def signal_beside_main_thread(process_id: int, number: signal.Signals) -> None:
    """Send a signal to a thread of a process that is not its main one; it must have one. Linux only.

    Python notes the signal in whichever thread takes it, and runs the handler in the main thread once that runs Python.
    """
    threads = [int(thread.name) for thread in Path(f"/proc/{process_id}/task").iterdir()]
    beside = next(thread for thread in threads if thread != process_id)
    library = ctypes.CDLL(None, use_errno=True)
    if library.tgkill(process_id, beside, int(number)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
