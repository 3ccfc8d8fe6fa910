"""Answers that are kept while nothing has been committed, so that many screens with the same figures cost one read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from models.database import Database

GOOD_S = 1.0
"""What the clock alone changes, as the days that figures show, is seen within this time."""
_MOST = 64


class _Kept(NamedTuple):
    version: int
    until: float
    answer: Any


class KeptReads:
    """Keeps what was read as long as it is true: any commit, of this process or another, ends it.

    A database across a network does not tell of commits; nothing is kept then. Not thread-safe: for one thread.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Database, Hashable], _Kept] = OrderedDict()

    def find(self, key: Hashable, database: Database, read: Callable[[], Any], now: float) -> Any:
        """Return the answer to a question.

        Args:
            key: tells questions about one database apart.
            database: that is read.
            read: asks it.
            now: seconds of a monotonic clock.
        """
        # Asked before the database is read: a commit in between ends what is kept.
        version = database.data_version()
        if version is None:
            return read()
        found = self._kept.get((database, key))
        if found is not None and found.version == version and now < found.until:
            return found.answer
        answer = read()
        self._kept[database, key] = _Kept(version, now + GOOD_S, answer)
        self._kept.move_to_end((database, key))
        self._forget(now)
        return answer

    def _forget(self, now: float) -> None:
        """Forget what is too old, and the oldest beyond a number; they lie in the order of their age."""
        while self._kept:
            key, oldest = next(iter(self._kept.items()))
            if now < oldest.until and len(self._kept) <= _MOST:
                return
            del self._kept[key]
