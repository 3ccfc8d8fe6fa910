"""The folder of a training run: its settings, checkpoints and state."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inspection.detection.training.run_request import RunRequest
from models.errors import Conflict, InvalidInput, NotFound
from models.file_lock import locked_file
from models.storage import is_file, is_folder, is_there, make_folder, not_written, write_atomically

_PATIENCE_S = 20.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths within the folder of a run."""

    path: Path

    @property
    def request(self) -> Path:
        """Settings of the run."""
        return self.path / "request.json"

    @property
    def data(self) -> Path:
        """Data set in the layout of the training library; removed when the run is done."""
        return self.path / "data"

    @property
    def library(self) -> Path:
        """Settings, fonts and caches of the training library; removed when the run is done."""
        return self.path / "library"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints written by the training library."""
        return self.path / "training" / "weights"

    @property
    def last(self) -> Path:
        """Checkpoint of the last epoch."""
        return self.checkpoints / "last.pt"

    @property
    def best(self) -> Path:
        """Checkpoint of the best epoch."""
        return self.checkpoints / "best.pt"

    @property
    def kept(self) -> Path:
        """Copies of both, complete at any time: the library overwrites its own in place."""
        return self.path / "kept"

    @property
    def ended(self) -> Path:
        """Outcome, written with the copies of the final epoch, whether by the epoch limit or by early stopping."""
        return self.kept / "ended.json"

    @property
    def trained(self) -> Path:
        """Outcome, written when the training is complete."""
        return self.path / "trained.json"

    @property
    def exported(self) -> Path:
        """Exported graphs."""
        return self.path / "exported"

    @property
    def report(self) -> Path:
        """Report of the run, written last."""
        return self.path / "report.json"

    @property
    def log(self) -> Path:
        """Output of the training library."""
        return self.path / "training.log"

    @property
    def lock(self) -> Path:
        """Lock file, locked while a training uses the folder."""
        return self.path / "running.lock"

    def tidy(self) -> None:
        """Remove intermediate files of a finished run; request, log, best checkpoint and report stay."""
        for place in (self.data, self.library, self.exported, self.kept):
            shutil.rmtree(place, ignore_errors=True)
        self.last.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all files of a run; other files in the folder stay.

        Raises:
            Unavailable: ``file-not-written``.
        """
        # The report first and the request last: interrupted in between, the run counts as unfinished.
        try:
            for file in (self.report, self.trained, self.log):
                file.unlink(missing_ok=True)
            for place in (self.data, self.library, self.exported, self.kept, self.checkpoints.parent):
                if place.is_dir():
                    shutil.rmtree(place)
            self.request.unlink(missing_ok=True)
        except OSError as error:
            raise not_written(self.path, error) from error

    @contextmanager
    def locked(self, patience_s: float = _PATIENCE_S) -> Iterator[int]:
        """Lock the folder; yields the descriptor of the lock, for the training subprocess to inherit.

        The subprocess of a killed training exits at its next event; the lock is awaited that long.

        Raises:
            Conflict: ``training-run-running``.
            Unavailable: ``file-not-written``.
        """
        deadline = time.monotonic() + patience_s
        try:
            while (lock := locked_file(self.lock)) is None:
                if time.monotonic() > deadline:
                    raise Conflict("training-run-running", folder=str(self.path))
                time.sleep(_POLL_S)
        except OSError as error:
            raise not_written(self.lock, error) from error
        with lock:
            yield lock.fileno()


@contextmanager
def create_run(path: Path, request: RunRequest, patience_s: float = _PATIENCE_S) -> Iterator[tuple[RunFolder, int]]:
    """Create and lock the folder of a new run; yields the folder and the descriptor of ``RunFolder.locked``.

    The folder of a finished run is reused. That of an unfinished one may hold hours of work, so it is rejected.

    Raises:
        Conflict: ``training-run-unfinished``, ``training-run-foreign`` when the folder holds something else,
            ``training-run-running``.
        Unavailable: ``file-not-written``, ``file-disk-full``.
    """
    folder = RunFolder(path)
    # Checked before the lock file is created: nothing is written into a foreign folder.
    _require_own(folder)
    make_folder(path)
    with folder.locked(patience_s) as lock:
        # Checked again under the lock: another training may have used the folder in between.
        _require_own(folder)
        if is_there(folder.request):
            if not is_there(folder.report):
                raise Conflict("training-run-unfinished", folder=str(path))
            folder.clear()
        write_json(folder.request, request.model_dump(mode="json"))
        yield folder, lock


def _require_own(folder: RunFolder) -> None:
    """Check that a folder is missing, empty, or that of a run, which initially holds only a lock file."""
    try:
        found = set(folder.path.iterdir()) if is_folder(folder.path) else set()
    except OSError as error:
        raise not_written(folder.path, error) from error
    if not found <= {folder.lock} and folder.request not in found:
        raise Conflict("training-run-foreign", folder=str(folder.path))


@contextmanager
def open_run(path: Path, patience_s: float = _PATIENCE_S) -> Iterator[tuple[RunFolder, RunRequest, int]]:
    """Open and lock the folder of an unfinished run; yields folder, request and the descriptor of the lock.

    Raises:
        NotFound: ``training-run-missing``.
        InvalidInput: ``training-run-damaged``.
        Conflict: ``training-run-done``, ``training-run-running``.
        Unavailable: ``file-not-written``.
    """
    folder = RunFolder(path)
    if not is_file(folder.request):
        raise NotFound("training-run-missing", folder=str(path))
    with folder.locked(patience_s) as lock:
        if is_there(folder.report):
            raise Conflict("training-run-done", folder=str(path))
        try:
            request = RunRequest.model_validate_json(folder.request.read_bytes())
        except (OSError, ValidationError) as error:
            raise InvalidInput("training-run-damaged", folder=str(path)) from error
        yield folder, request, lock


def write_json(path: Path, value: Any) -> None:
    """Write JSON values as indented UTF-8; file names that are not valid text are escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(errors="backslashreplace"))
