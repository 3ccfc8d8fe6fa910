"""What every process of a server sets for itself when it starts: who may read its files, how it keeps memory."""

from __future__ import annotations

import ctypes
import os
import sys

_OWNER_ONLY = 0o077
"""Umask: what a server writes is for its own user."""
_MEBI = 1024 * 1024
_OPTIONS = (
    # mallopt(3): option, value, and the variable by which whoever starts the process decides instead.
    (-8, 1, "MALLOC_ARENA_MAX"),
    (-3, 32 * _MEBI, "MALLOC_MMAP_THRESHOLD_"),
    (-1, 64 * _MEBI, "MALLOC_TRIM_THRESHOLD_"),
)


def set_up_process() -> None:
    """Set umask and allocator of this process; call it before threads are started."""
    os.umask(_OWNER_ONLY)
    _reuse_memory_of_images()


def _reuse_memory_of_images() -> None:
    """Let the C library keep up to 64 MiB that were freed, in one heap for all threads.

    By default it returns the memory of each image to the system, which clears it page by page for the next one: half of
    what resizing or filtering 1920×1080 takes. Without glibc nothing is set.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for option, value, variable in _OPTIONS:
        if variable not in os.environ:
            mallopt(option, value)
