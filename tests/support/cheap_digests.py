"""Digests of passwords that cost next to nothing, since a server of tests makes ten before its first request.

At their full cost they took most of what such a server takes to start. A digest says its own cost, so one of the full
cost is checked at it; ``full_cost`` makes such digests for a test of what the product makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pwdlib.hashers.argon2 import Argon2Hasher

_INIT = Argon2Hasher.__init__
_FULL = _INIT.__defaults__ or ()
_ITERATIONS, _KIB, _THREADS = 1, 8, 1


def install() -> None:
    """Make digests cheap in this process."""
    _INIT.__defaults__ = (_ITERATIONS, _KIB, _THREADS, *_FULL[3:])


@contextmanager
def full_cost() -> Iterator[None]:
    """Let what is made within the block make digests of the product's cost."""
    _INIT.__defaults__ = _FULL
    try:
        yield
    finally:
        install()
