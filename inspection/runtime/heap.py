"""The heap of the C library, as far as it decides how much memory inference takes."""

from __future__ import annotations

import ctypes
import sys

# Of glibc's malloc.h.
_M_ARENA_MAX = -8


def share_one_heap() -> None:
    """Make threads of this process that have not allocated yet share one heap, where the C library is glibc.

    A thread that already has a heap of its own keeps it, so this is called before the threads that prepare images
    start. By default each thread that meets contention gets a heap, which keeps the largest arrays it ever needed:
    about 20 MB for every thread that prepares images. Scoring spends no measurable time waiting for the one heap.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
