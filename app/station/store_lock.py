"""One station a store: a lock the system drops by itself when the process ends, however it ends."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from models.errors import Conflict, Unavailable
from models.file_lock import locked_file
from models.storage import reason_of


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
            file = locked_file(self.path)
        except OSError as error:
            raise Unavailable(
                "file-not-written",
                file=self.path.name,
                folder=str(self.path.parent),
                reason=reason_of(error),
            ) from error
        if file is None:
            raise Conflict("store-in-use", folder=str(self.path.parent))
        self._file = file

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None
