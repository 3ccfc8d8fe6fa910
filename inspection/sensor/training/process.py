"""The process of a training that somebody else watches: ``python -m inspection.sensor.training.process FOLDER``.

The folder holds ``request.json`` (a ``TrainingRequest``), ``data.csv`` and, to import weights, ``model.pth``; the files
of the model are written into it. Events go to standard output, one JSON object a line: ``progress`` (0 to 100) at least
every two seconds, and last ``finished`` with what was found, or ``failed`` with code and values of a user-facing error.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from inspection.sensor.table.form import Decimal, TableForm
from inspection.sensor.training.files import SensorFiles, train_files
from inspection.sensor.training.findings import findings_of
from inspection.sensor.training.importing import import_files
from inspection.sensor.training.settings import SensorTraining
from models.error_values import stored_values
from models.errors import UserFacingError

REQUEST, DATA, CHECKPOINT, MODEL = "request.json", "data.csv", "model.pth", "model.npz"
_REPORT_S = 2.0
_NICENESS = 10


class TrainingRequest(BaseModel):
    """What is to be trained.

    Attributes:
        settings: of the training.
        leave_out: columns that are not sensors.
        keep: columns that are sensors though they look like clocks or counters.
        encoding: of the table; empty takes the plausible one.
        decimal: decimal sign; None takes the one that fits.
        skip_lines: lines before the header.
        missing: texts and numbers that stand for a missing value.
        table_name: of the table in messages; empty for that of its file in the folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: SensorTraining
    leave_out: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    encoding: str = ""
    decimal: Decimal | None = None
    skip_lines: int | None = None
    missing: tuple[str, ...] = ()
    table_name: str = ""

    @property
    def form(self) -> TableForm:
        """What is known of the table."""
        return TableForm(self.encoding, self.decimal, self.skip_lines, self.missing)


class _Reporter:
    """Writes the progress when it changes, and now and then as a sign of life."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress = 0
        self._ended = threading.Event()

    @contextmanager
    def alive(self) -> Iterator[Callable[[int, int], None]]:
        """Report until the block ends; gives what takes the steps that are done and their total."""
        thread = threading.Thread(target=self._repeat, name="signs of life")
        thread.start()
        try:
            yield self._step
        finally:
            self._ended.set()
            thread.join()

    def send(self, **event: Any) -> None:
        """Write an event."""
        with self._lock:
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()

    def _step(self, done: int, total: int) -> None:
        percent = int(100 * done / max(total, 1))
        if percent != self._progress:
            self._progress = percent
            self.send(event="progress", progress=percent)

    def _repeat(self) -> None:
        while not self._ended.wait(_REPORT_S):
            self.send(event="progress", progress=self._progress)


def run(folder: Path, on_step: Callable[[int, int], None]) -> SensorFiles:
    """Train on the table of a folder, or import the weights that lie beside it.

    Raises:
        UserFacingError: as ``train_files`` and ``import_files``.
    """
    request = TrainingRequest.model_validate_json((folder / REQUEST).read_bytes())
    options: dict[str, Any] = {"leave_out": request.leave_out, "form": request.form, "name": request.table_name}
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists():
        return import_files(checkpoint, folder / DATA, folder / MODEL, request.settings, **options)
    further: dict[str, Any] = {"keep": request.keep, "checkpoint": False, "on_step": on_step}
    return train_files(folder / DATA, folder / MODEL, request.settings, **options, **further)


def main(folder: Path) -> int:
    """Train and return the exit status: 0, or 1 after a user-facing error."""
    if os.name == "posix":
        os.nice(_NICENESS)  # Those who are scored wait for nobody's training.
    reporter = _Reporter()
    try:
        with reporter.alive() as on_step:
            made = run(folder, on_step)
    except UserFacingError as error:
        reporter.send(event="failed", code=error.code, values=stored_values(error.values))
        return 1
    found = [*made.assumptions, *findings_of(made)]
    findings = [{"code": one.code, "values": stored_values(one.values)} for one in found]
    reporter.send(event="finished", findings=findings)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
