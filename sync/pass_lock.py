"""Never two passes at a time on one store: a lock the system drops by itself when a process ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import Conflict, Unavailable


@contextmanager
def only_pass(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` for the block; the file itself stays and means nothing.

    Raises:
        Conflict: ``sync-already-running`` when another process has it.
        Unavailable: ``blob-not-written`` when the file cannot be made.
    """
    try:
        file = path.open("a+b")
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unavailable("blob-not-written", folder=str(path.parent), reason=reason) from error
    with file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise Conflict("sync-already-running") from error
        yield


if os.name == "nt":  # pragma: no cover - the other half of this branch runs on the other systems

    def _lock(handle: int) -> None:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:

    def _lock(handle: int) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
