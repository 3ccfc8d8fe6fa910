"""What is known of the passes of this process: whether one is on, how far it is, and why the last one failed."""

from __future__ import annotations

import dataclasses
import threading
from datetime import datetime

from models.clock import utc_now
from models.errors import UserFacingError
from sync.station.hold import Hold
from sync.station.progress import SyncProgress
from sync.station.status import SyncStatus


class PassState:
    """Follows passes, one after another; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._online = False
        self._running = False
        self._progress: SyncProgress | None = None
        self._error: UserFacingError | None = None
        self._failing_since: datetime | None = None

    @property
    def online(self) -> bool:
        """Whether the server answered last."""
        with self._lock:
            return self._online

    def begin(self) -> None:
        """Note that a pass has begun."""
        with self._lock:
            self._running = True
            self._progress = None

    def go_on(self, progress: SyncProgress) -> None:
        """Note how far a pass is; the server has just answered."""
        with self._lock:
            self._progress = progress
            self._online = True

    def end(self, error: UserFacingError | None, *, online: bool) -> None:
        """Note that the pass has ended, what it failed by, and whether the server answered."""
        with self._lock:
            self._running = False
            self._progress = None
            self._online = online
            self._error = error
            self._failing_since = (self._failing_since or utc_now()) if error is not None else None

    def clear_error(self) -> None:
        """Forget why the last pass failed."""
        with self._lock:
            self._error = self._failing_since = None

    def complete(self, stored: SyncStatus, *, held: Hold) -> SyncStatus:
        """Return the status of the store with what is known here.

        Args:
            stored: what the store says.
            held: what waits by choice.
        """
        with self._lock:
            return dataclasses.replace(
                stored,
                online=self._online,
                running=self._running,
                last_error=self._error,
                failing_since=self._failing_since,
                progress=self._progress,
                held=held,
            )
