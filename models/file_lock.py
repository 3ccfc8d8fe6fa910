"""An exclusive lock on a file, which the system drops by itself when the process ends, however it ends."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

_HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.EWOULDBLOCK}


def locked_file(path: Path) -> IO[bytes] | None:
    """Take the lock on ``path``, which is made when missing; the file stays and its content means nothing.

    Returns:
        The open file: closing it gives the lock back. None when another process, or another place of this one, has it.

    Raises:
        OSError: when the file cannot be made, or the file system has no locks.
    """
    file = path.open("a+b")
    try:
        _lock(file)
    except OSError as error:
        file.close()
        if error.errno in _HELD:
            return None
        raise
    return file


if os.name == "nt":  # pragma: no cover - the other half of this branch runs on the other systems

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
