"""What the enrolment screen shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """How far this computer is on the way to being a station.

    Attributes:
        busy: the server is being asked.
        enrolled: this computer is a station.
        needs_credential: it is one, but its credential is not in the keyring or is refused, and must be given again.
        credential: the new credential, shown once because the keyring could not keep it; empty otherwise.
        postponed: the person wants to go on without a server for now.
    """

    busy: bool = False
    enrolled: bool = False
    needs_credential: bool = False
    credential: str = ""
    postponed: bool = False
