"""What the enrolment screen shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.station.engine import SyncStatus
    from sync.station.new_device import HeldCounts


@dataclass(frozen=True, slots=True)
class AnewSetUp:
    """This station is set up anew: at a server that was made anew, or after it was revoked or its disk copied.

    Attributes:
        held: what this computer holds.
        status: what of it the former server has not acknowledged.
        address: of the server, as typed.
        code: for enrolment, as typed.
        name: of the station, as typed.
        asking: the person is asked whether everything that is held is sent.
    """

    held: HeldCounts
    status: SyncStatus
    address: str = ""
    code: str = ""
    name: str = ""
    asking: bool = False


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """How far this computer is on the way to being a station.

    Attributes:
        busy: the server is being asked.
        enrolled: this computer is a station.
        needs_credential: it is one, but its credential is not in the keyring or is refused, and must be given again.
        credential: the new credential, shown once because the keyring could not keep it; empty otherwise.
        anew: it is being set up anew; None otherwise.
        postponed: the person wants to go on without a server for now.
    """

    busy: bool = False
    enrolled: bool = False
    needs_credential: bool = False
    credential: str = ""
    anew: AnewSetUp | None = None
    postponed: bool = False
