"""What the change log publishes after its commits, for the stations that listen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Literal

from server.change_log.recording import ChangeLogRecorder, Concern
from server.context import ServerContext
from server.events.bus import EventBus
from server.events.topics import Topic
from sync.shared.schemas import Reply

EVERYONE = "all"
"""The key of what every station may read."""


class LogGrew(Reply):
    """Changes were committed.

    Attributes:
        author: the station that made them, None for the server.
        scope: the only station that may read them, None for all.
    """

    author: str | None = None
    scope: str | None = None


class ChangesAvailable(Reply):
    """A station has something to pull."""

    type: Literal["changes_available"] = "changes_available"


SYNC_CHANGES = Topic("sync-changes", LogGrew)
"""The key is the only station that may read the changes, ``all`` when every one may."""


def announce_commits(context: ServerContext) -> None:
    """Let every commit of changes that stations may read be published from now on."""
    recorder = context.database.recorder
    if not isinstance(recorder, ChangeLogRecorder):
        raise TypeError("the server's database keeps no change log")
    recorder.announce = partial(announce, context.events)


def announce(bus: EventBus, concerns: Iterable[Concern]) -> None:
    """Publish that changes were committed, unless they concern nobody but who made them, as the parts of a station."""
    for concern in concerns:
        if concern.scope is None or concern.scope != concern.author:
            grown = LogGrew(author=concern.author, scope=concern.scope)
            bus.publish(SYNC_CHANGES, concern.scope or EVERYONE, grown)


def concerns(grown: LogGrew, device_id: str) -> bool:
    """Return whether a station has something new to pull: what it may read and did not make."""
    return grown.author != device_id and grown.scope in {None, device_id}


class Pace:
    """When a client is told, so that many commits make one message each ``every_s`` seconds.

    Args:
        every_s: seconds between two messages, at least.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._told: float | None = None
        self.due: float | None = None
        """The time of the next message, None when there is nothing to say."""

    def news(self, now: float) -> None:
        """Note that there is something to tell, at ``now`` seconds of a clock that only goes forward."""
        if self.due is None:
            self.due = now if self._told is None else max(now, self._told + self._every_s)

    def told(self, now: float) -> None:
        """Note that the client was told everything so far."""
        self._told, self.due = now, None
