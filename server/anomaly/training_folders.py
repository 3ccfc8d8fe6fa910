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
                self._own, self._held = _made(self._root)
            return self._own

    def collect(self) -> int:
        """Remove the folders of processes that have ended, and return how many; a lock without a folder goes too."""
        folders = {path for path in self._root.glob("*") if path.is_dir()}
        locked = {path.with_suffix("") for path in self._root.glob(f"*{_LOCK}")}
        return sum(_removed(folder) for folder in folders | locked)

    def close(self) -> None:
        """Remove the folder of this process."""
        with self._guard:
            if self._own is not None and self._held is not None:
                shutil.rmtree(self._own, ignore_errors=True)
                _drop(self._held, self._own.with_suffix(_LOCK))
            self._own = self._held = None


def _made(root: Path) -> tuple[Path, IO[bytes]]:
    """Return a new folder with its lock, held before the folder is there: nobody takes it for one left behind."""
    while True:
        folder = root / f"process-{new_id()}"
        lock = folder.with_suffix(_LOCK)
        held = locked_file(lock)
        if held is None:
            # Another process, which collects, had it first.
            continue
        try:
            if lock.exists():
                folder.mkdir()
                return folder, held
        except BaseException:
            _drop(held, lock)
            raise
        held.close()


def _removed(folder: Path) -> bool:
    """Return whether a folder was removed: its process has ended; one without a lock is of a version that had none."""
    lock = folder.with_suffix(_LOCK)
    held = locked_file(lock)
    if held is None:
        return False
    found = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    _drop(held, lock)
    return found


def _drop(held: IO[bytes], lock: Path) -> None:
    # Windows removes no file that is open.
    held.close()
    lock.unlink(missing_ok=True)
