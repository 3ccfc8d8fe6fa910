"""Which files of a watched folder are new and complete, decided from listings alone."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import TypeVar

_VANISHED_KEPT = 10_000
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class FileState:
    """State of a file in a listing.

    Attributes:
        size: bytes.
        modified: time of the last change of its contents, nanoseconds since the epoch.
        identity: device and inode, which a renamed file keeps; None where there is none.
    """

    size: int
    modified: int
    identity: tuple[int, int] | None = None


@dataclass(slots=True)
class _Arriving:
    state: FileState
    seen_first: int
    unchanged_since: float


class Arrivals:
    """Finds the files that have arrived, each once, by comparing listings.

    A file has arrived when neither its size nor its time has changed for ``settle`` seconds. One that is rewritten
    after it was taken arrives again; one that is renamed, or disappears and returns unchanged, does not.

    Args:
        settle: seconds.
    """

    def __init__(self, settle: float) -> None:
        self.settle = settle
        self._taken: dict[str, FileState] = {}
        self._identities: dict[tuple[int, int], FileState] = {}
        self._arriving: dict[str, _Arriving] = {}
        self._listings = 0

    def skip(self, listing: Mapping[str, FileState]) -> None:
        """Mark every file of ``listing`` as taken."""
        for name, state in listing.items():
            self._take(name, state)

    def ready(self, listing: Mapping[str, FileState], now: float) -> list[str]:
        """Return the names of the files that have arrived and were not taken yet, in the order they were first seen.

        Files first seen in the same listing come in the order of their times, then of their names.

        Args:
            listing: every existing file, by name.
            now: monotonic seconds.
        """
        self._listings += 1
        for name in [name for name in self._arriving if name not in listing]:
            del self._arriving[name]
        for name, state in listing.items():
            if self._is_taken(name, state):
                self._arriving.pop(name, None)
            else:
                self._follow(name, state, now)
        self._forget(listing)
        found = [
            (arriving.seen_first, arriving.state.modified, name)
            for name, arriving in self._arriving.items()
            if arriving.state.size > 0 and now - arriving.unchanged_since >= self.settle
        ]
        return [name for _, _, name in sorted(found)]

    def unchanged_for(self, name: str, now: float) -> float:
        """Return for how many seconds a file that is arriving has not changed."""
        return now - self._arriving[name].unchanged_since

    def state(self, name: str) -> FileState:
        """Return the state that a file which is arriving was last seen in."""
        return self._arriving[name].state

    def take(self, name: str) -> None:
        """Mark a file that ``ready`` returned as taken."""
        self._take(name, self._arriving.pop(name).state)

    def _follow(self, name: str, state: FileState, now: float) -> None:
        known = self._arriving.get(name)
        if known is None:
            self._arriving[name] = _Arriving(state, self._listings, now)
        elif known.state != state:
            known.state, known.unchanged_since = state, now

    def _is_taken(self, name: str, state: FileState) -> bool:
        before = self._taken.get(name)
        if before is not None and (before.size, before.modified) == (state.size, state.modified):
            return True
        if state.identity is None or self._identities.get(state.identity) != state:
            return False
        self._take(name, state)
        return True

    def _take(self, name: str, state: FileState) -> None:
        self._arriving.pop(name, None)
        self._taken.pop(name, None)
        self._taken[name] = state
        if state.identity is not None:
            self._identities.pop(state.identity, None)
            self._identities[state.identity] = state

    def _forget(self, listing: Mapping[str, FileState]) -> None:
        """Forget the files that disappeared longest ago, so that memory is bounded over months.

        Names and identities are forgotten separately: many files can reuse a name, and a file can be renamed often.
        """
        _forget_oldest(self._taken, set(listing))
        _forget_oldest(self._identities, {state.identity for state in listing.values() if state.identity is not None})


def _forget_oldest(known: dict[_Key, FileState], there: Set[_Key]) -> None:
    if len(known) <= len(there) + _VANISHED_KEPT:
        return
    vanished = [key for key in known if key not in there]
    for key in vanished[: len(vanished) - _VANISHED_KEPT // 2]:
        del known[key]
