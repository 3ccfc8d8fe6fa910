"""The folder of a training run: what was asked for, the checkpoints, and what has been done so far."""

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
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The places within the folder of a run."""

    path: Path

    @property
    def request(self) -> Path:
        """What was asked for."""
        return self.path / "request.json"

    @property
    def data(self) -> Path:
        """The images and labels as the training library wants them; gone when the run is done."""
        return self.path / "data"

    @property
    def library(self) -> Path:
        """Settings, fonts and caches of the training library; gone when the run is done."""
        return self.path / "library"

    @property
    def checkpoints(self) -> Path:
        """Where the training library puts its own."""
        return self.path / "training" / "weights"

    @property
    def last(self) -> Path:
        """The checkpoint after the last whole epoch."""
        return self.checkpoints / "last.pt"

    @property
    def best(self) -> Path:
        """The checkpoint of the best epoch."""
        return self.checkpoints / "best.pt"

    @property
    def kept(self) -> Path:
        """Copies of both that are whole whenever the process is ended: the library writes its own in place."""
        return self.path / "kept"

    @property
    def ended(self) -> Path:
        """Written with the kept copies of the last epoch, whether it was the last allowed or nothing was gained."""
        return self.kept / "ended.json"

    @property
    def trained(self) -> Path:
        """Written when training is over: what it came to."""
        return self.path / "trained.json"

    @property
    def exported(self) -> Path:
        """Folder of the exported graphs."""
        return self.path / "exported"

    @property
    def report(self) -> Path:
        """Written last: the report of the whole run."""
        return self.path / "report.json"

    @property
    def log(self) -> Path:
        """What the training library says."""
        return self.path / "training.log"

    @property
    def lock(self) -> Path:
        """Locked while a training works in the folder."""
        return self.path / "running.lock"

    def tidy(self) -> None:
        """Remove what a run that is done needs no more; request, log, best checkpoint and report stay."""
        for place in (self.data, self.library, self.exported, self.kept):
            shutil.rmtree(place, ignore_errors=True)
        self.last.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all that a run makes; what else lies in the folder is somebody's and stays.

        Raises:
            Unavailable: ``file-not-written``.
        """
        # The report first and the request last: ended in between, the folder is that of a run that is not done.
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
    def held(self, patience_s: float = _PATIENCE_S) -> Iterator[int]:
        """Keep every other training out of the folder; gives the descriptor a process inherits to keep them out too.

        The process of a training that was killed ends at its next word; so long is waited.

        Raises:
            Conflict: ``training-run-running``.
            Unavailable: ``file-not-written``.
        """
        deadline = time.monotonic() + patience_s
        try:
            while (lock := locked_file(self.lock)) is None:
                if time.monotonic() > deadline:
                    raise Conflict("training-run-running", folder=str(self.path))
                time.sleep(_LOOK_S)
        except OSError as error:
            raise not_written(self.lock, error) from error
        with lock:
            yield lock.fileno()


@contextmanager
def create_run(path: Path, request: RunRequest, patience_s: float = _PATIENCE_S) -> Iterator[tuple[RunFolder, int]]:
    """Make the folder of a new run and hold it; gives the folder and what ``RunFolder.held`` gives.

    A folder of a run that is done is used again. One that is not done may be somebody's hours, so it is refused.

    Raises:
        Conflict: ``training-run-unfinished``, ``training-run-foreign`` when the folder holds something else,
            ``training-run-running``.
        Unavailable: ``file-not-written``, ``file-disk-full``.
    """
    folder = RunFolder(path)
    # Before the lock, which is a file: nothing is laid into a folder that is somebody else's.
    _require_own(folder)
    make_folder(path)
    with folder.held(patience_s) as lock:
        # Once more: another training may have come first, or ended since.
        _require_own(folder)
        if is_there(folder.request):
            if not is_there(folder.report):
                raise Conflict("training-run-unfinished", folder=str(path))
            folder.clear()
        write_json(folder.request, request.model_dump(mode="json"))
        yield folder, lock


def _require_own(folder: RunFolder) -> None:
    """Check that a folder is missing, empty, or that of a run, which at its very beginning holds but a lock."""
    try:
        found = set(folder.path.iterdir()) if is_folder(folder.path) else set()
    except OSError as error:
        raise not_written(folder.path, error) from error
    if not found <= {folder.lock} and folder.request not in found:
        raise Conflict("training-run-foreign", folder=str(folder.path))


@contextmanager
def open_run(path: Path, patience_s: float = _PATIENCE_S) -> Iterator[tuple[RunFolder, RunRequest, int]]:
    """Open the folder of a run that is to go on and hold it; gives folder, request and what ``RunFolder.held`` gives.

    Raises:
        NotFound: ``training-run-missing``.
        InvalidInput: ``training-run-damaged``.
        Conflict: ``training-run-done``, ``training-run-running``.
        Unavailable: ``file-not-written``.
    """
    folder = RunFolder(path)
    if not is_file(folder.request):
        raise NotFound("training-run-missing", folder=str(path))
    with folder.held(patience_s) as lock:
        if is_there(folder.report):
            raise Conflict("training-run-done", folder=str(path))
        try:
            request = RunRequest.model_validate_json(folder.request.read_bytes())
        except (OSError, ValidationError) as error:
            raise InvalidInput("training-run-damaged", folder=str(path)) from error
        yield folder, request, lock


def write_json(path: Path, value: Any) -> None:
    """Write JSON values for people and programs; the name of a file that is no text stands there as JSON escapes it."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(errors="backslashreplace"))
