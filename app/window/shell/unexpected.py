"""Handles a bug in the running window: it is logged in full, a notice is shown, and the window goes on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from models.errors import UserFacingError

LOG_FILE = "station.log"
LOG_BYTES = 1_000_000
LOG_FILES = 5


class UnexpectedErrors:
    """Handles the exceptions that nothing else handles, as long as it is installed.

    Args:
        folder: where ``station.log`` is kept; five files of 1 MB at most.
        report: called with the error to show; a bug stays a bug, only its message is an ordinary notice.
    """

    def __init__(self, folder: Path, report: Callable[[UserFacingError], object]) -> None:
        self._folder = folder
        self._report = report
        self._log = logging.getLogger("imageflow.station")
        self._handler: logging.Handler | None = None

    def install(self) -> None:
        """Handle them from now on."""
        try:
            self._handler = RotatingFileHandler(
                self._folder / LOG_FILE, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8", delay=True
            )
        except OSError:
            # Without a place for the log the error stream has to do.
            self._handler = logging.StreamHandler()
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._log.addHandler(self._handler)
        sys.excepthook = self._take

    def remove(self) -> None:
        """Leave them to the interpreter again."""
        sys.excepthook = sys.__excepthook__
        if self._handler is not None:
            self._log.removeHandler(self._handler)
            self._handler.close()
            self._handler = None

    def _take(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self._log.error("unexpected error", exc_info=(kind, error, trace))
        sys.__excepthook__(kind, error, trace)
        if isinstance(error, UserFacingError):
            self._report(error)
        else:
            self._report(UserFacingError("window-unexpected", reason=kind.__name__, folder=str(self._folder)))
