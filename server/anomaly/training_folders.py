"""The folders of trainings: one for each process of the server, collected by another one once its process has ended."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import IO

from models.file_lock import locked_file
from models.ids import new_id

_LOCK = ".lock"


class TrainingFolders:
    """The folder of this process among those of others.

    A lock beside each folder tells whether its process is alive: the system drops it however the process ends.

    Args:
        root: holds the folders of all processes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._guard = threading.Lock()
        self._own: Path | None = None
        self._held: IO[bytes] | None = None

    def folder(self) -> Path:
        """Return the folder of this process, made with the first training.

        Raises:
            OSError: when it cannot be made.
        """
        with self._guard:
            if self._own is None:
                self._root.mkdir(parents=True, exist_ok=True)
                own = self._root / f"process-{new_id()}"
                # Held before the folder is there: nobody takes it for one that was left behind.
                self._held = locked_file(own.with_suffix(_LOCK))
                own.mkdir()
                self._own = own
            return self._own

    def collect(self) -> int:
        """Remove the folders of processes that have ended, and return how many."""
        found = [path for path in self._root.glob("*") if path.is_dir()]
        return sum(_removed(folder) for folder in found)

    def close(self) -> None:
        """Remove the folder of this process."""
        with self._guard:
            if self._own is not None and self._held is not None:
                shutil.rmtree(self._own, ignore_errors=True)
                self._held.close()
                self._own.with_suffix(_LOCK).unlink(missing_ok=True)
            self._own = self._held = None


def _removed(folder: Path) -> bool:
    """Remove a folder unless its process is alive; one without a lock is of a version that had none."""
    lock = folder.with_suffix(_LOCK)
    held = locked_file(lock)
    if held is None:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    held.close()
    lock.unlink(missing_ok=True)
    return True
