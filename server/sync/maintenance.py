"""Maintenance of the sync feature: removes log entries past their time, notes of old events, abandoned uploads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from models.clock import utc_now
from models.database import Database
from server.change_log.recording import prune
from server.events.outbox import forget_handled
from server.sync.blobs import Uploads

PERIOD_S = 24 * 3600.0


@dataclass(slots=True)
class Maintenance:
    """Decides when maintenance is due: at most once in a period; safe to use from several threads.

    Attributes:
        monotonic: a monotonic clock, in seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    _next: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_due(self, url: str) -> bool:
        """Return whether the store at ``url`` had no maintenance for a period, and start a new period."""
        with self._lock:
            now = self.monotonic()
            if now < self._next.get(url, now):
                return False
            self._next[url] = now + PERIOD_S
            return True


def clear_away(database: Database, uploads: Uploads) -> None:
    """Prune the change log (tombstones stay their 90 days), forget old events, remove stale uploads."""
    with database.local_transaction() as session:
        prune(session, utc_now())
        forget_handled(session)
    uploads.remove_stale()
