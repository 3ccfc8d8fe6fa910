"""Keeps None, True and False alive in a process that uses PySide6 on Python 3.11.

PySide6 6.12 drops one reference too many to what a Python callback or an overridden method returns to Qt. From Python
3.12 on None, True and False are immortal (PEP 683) and nothing comes of it; on 3.11 every timer, event and slot costs
one of the few thousand references they have, and within minutes the interpreter aborts with ``none_dealloc``. Giving
them the count that CPython 3.12 calls immortal makes it a matter of no consequence there too.
"""

from __future__ import annotations

import ctypes
import sys

_IMMORTAL_SINCE = (3, 12)
_COUNT = 1 << 60
"""References nobody can use up: at a million a second it lasts 36,000 years."""


def keep_constants_alive() -> None:
    """Make None, True and False outlive every miscount; to be called before Qt calls back for the first time."""
    if sys.implementation.name != "cpython" or sys.version_info >= _IMMORTAL_SINCE:
        return
    for constant in (None, True, False):
        # The reference count is the first field of every object in CPython.
        ctypes.c_ssize_t.from_address(id(constant)).value = _COUNT
