"""Messages between features, so that none imports another: published and subscribed to on ``StationContext``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.station.operations.open_sessions import ReopenedPart
    from app.station.views import ItemView, TargetView
    from sync.station.engine import SyncStatus


@dataclass(frozen=True, slots=True)
class StartWork:
    """Parts of ``target`` are to be inspected, on images of ``StationContext.sources``.

    Attributes:
        items: those every part goes through, in order.
    """

    target: TargetView
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True)
class ResumePart:
    """The inspection of a part that was left open goes on."""

    part: ReopenedPart


@dataclass(frozen=True, slots=True)
class PartLeftOpen:
    """The inspection of a part was left and could not be cancelled: it waits for a person."""

    session_id: str


@dataclass(frozen=True, slots=True)
class CodeScanned:
    """A hand scanner has read a part's code."""

    code: str


@dataclass(frozen=True, slots=True)
class SigningOut:
    """The user is about to sign out; whatever belongs to them ends now."""


@dataclass(frozen=True, slots=True)
class StationEnrolled:
    """This computer has become a station of a server, or its credential has been supplied."""


@dataclass(frozen=True, slots=True)
class SyncStatusChanged:
    """Synchronisation has another status than before."""

    status: SyncStatus


@dataclass(frozen=True, slots=True)
class RefusedChangesWanted:
    """The person wants to see the changes that the server refused."""


@dataclass(frozen=True, slots=True)
class ConflictsWanted:
    """The person wants to see the edits that lost to newer ones."""


@dataclass(frozen=True, slots=True)
class SyncPageWanted:
    """The person wants to see the page of the synchronisation."""
