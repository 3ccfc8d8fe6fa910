"""One station a store: a lock the system drops by itself when the process ends, however it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from models.errors import Conflict, Unavailable


class StoreLock:
    """An exclusive lock on a file; the file itself stays and means nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            Conflict: ``store-in-use`` when another process, or another workspace of this one, has it.
            Unavailable: ``file-not-written`` when the file cannot be made.
        """
        try:
            file = self.path.open("a+b")
        except OSError as error:
            raise Unavailable(
                "file-not-written",
                file=self.path.name,
                folder=str(self.path.parent),
                reason=error.strerror or str(error),
            ) from error
        try:
            _lock(file)
        except OSError as error:
            file.close()
            raise Conflict("store-in-use", folder=str(self.path.parent)) from error
        self._file = file

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None


if os.name == "nt":  # pragma: no cover - the other half of this branch runs on the other systems

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
