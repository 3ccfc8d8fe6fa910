"""The interface by which presenters run work off the UI thread, free of Qt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from models.errors import UserFacingError

Result = TypeVar("Result")


class Lane(StrEnum):
    """A queue of work with one thread: what is in one lane happens in order, lanes do not wait for each other."""

    DATABASE = "database"
    INSPECTION = "inspection"
    NETWORK = "network"
    TRAINING = "training"
    STATUS = "status"


class Task:
    """One piece of work: reports its progress and can be cancelled.

    Attributes:
        cancelled: set by ``cancel``; the work checks it, or passes it to what it calls.
    """

    def __init__(self, report: Callable[[Any], None]) -> None:
        self.cancelled = threading.Event()
        self.report = report

    def cancel(self) -> None:
        """Ask the work to stop; safe from any thread, also when it has ended."""
        self.cancelled.set()


class Runner(Protocol):
    """Runs operations away from the UI thread and calls back on it."""

    def run(
        self,
        operation: Callable[[Task], Result],
        *,
        lane: Lane,
        on_success: Callable[[Result], object],
        on_failure: Callable[[UserFacingError], object],
        on_progress: Callable[[Any], object] | None = None,
        on_finished: Callable[[], object] | None = None,
    ) -> Task:
        """Start ``operation``; see ``app.window.workers.Workers.run``."""
        ...

    def post(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` on the UI thread soon; safe from any thread."""
        ...
