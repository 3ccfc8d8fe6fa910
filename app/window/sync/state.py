"""What the sync page and the sync chip show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.station.engine import SyncStatus


@dataclass(frozen=True, slots=True)
class SyncState:
    """The state of the exchange with the server.

    Attributes:
        status: None before the first answer.
        enrolled: there is a server to synchronise with.
        busy: a pass that the person asked for is running.
    """

    status: SyncStatus | None = None
    enrolled: bool = False
    busy: bool = False

    @property
    def may_synchronise(self) -> bool:
        """Whether a pass can be started now."""
        return self.enrolled and not self.busy
