"""What the sync endpoints clear away behind them: log entries past their time, uploads nobody goes on with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from models.clock import utc_now
from models.database import Database
from server.change_log.recording import prune
from server.sync.blobs import Uploads

PERIOD_S = 24 * 3600.0


@dataclass(slots=True)
class Upkeep:
    """Clears away at most once in a period; safe to ask from several threads.

    Attributes:
        monotonic: seconds of a clock that never goes back.
    """

    monotonic: Callable[[], float] = time.monotonic
    _next: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_due(self, url: str) -> bool:
        """Say whether the store at ``url`` has not been seen to for a period, and count it as seen to from now on."""
        with self._lock:
            now = self.monotonic()
            if now < self._next.get(url, now):
                return False
            self._next[url] = now + PERIOD_S
            return True


def clear_away(database: Database, uploads: Uploads) -> None:
    """Prune the change log (tombstones stay their 90 days) and remove stale uploads."""
    with database.local_transaction() as session:
        prune(session, utc_now())
    uploads.remove_stale()
