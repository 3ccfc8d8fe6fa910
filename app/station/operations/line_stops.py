"""Stops of the line that the server has ordered: no part is begun while one holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alerts import LineStop
from models.errors import Conflict
from models.messages import LocalText, error_text
from sync.shared.addressed import is_for

if TYPE_CHECKING:
    from app.station.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LineStopView:
    """A stop that holds.

    Attributes:
        code: of the text that says why.
        details: what the text names.
        stopped_at: when the server ordered it.
    """

    code: str
    details: dict[str, Any]
    stopped_at: datetime

    @property
    def reason(self) -> LocalText:
        """Why, in one line of the reader's language."""
        return _AlertTitle(_title(self.code, self.details, "en"), self.code, self.details)


class _AlertTitle(LocalText):
    """The title of an alert as a part of another text."""

    def in_language(self, language: str) -> str:
        """Return it in ``language``."""
        return _title(self.code, self.values, language)


def _title(code: str, details: dict[str, Any], language: str) -> str:
    try:
        return error_text(code, details, language).title
    except KeyError:  # of a server that is newer than this station
        return code


def line_stops(workspace: Workspace) -> list[LineStopView]:
    """Return the stops that hold for this station, oldest first."""
    with workspace.database.read() as session:
        return stops_in(session, workspace.device_id)


def stops_in(session: Session, device_id: str) -> list[LineStopView]:
    """Return the stops that hold for a station, oldest first."""
    holds = LineStop.released_at.is_(None), LineStop.deleted_at.is_(None)
    query = select(LineStop).where(is_for(LineStop, device_id), *holds)
    found = session.scalars(query.order_by(LineStop.stopped_at, LineStop.id))
    return [LineStopView(stop.code, stop.details, stop.stopped_at) for stop in found]


def require_running_line(session: Session, workspace: Workspace) -> None:
    """Check that a part may be begun.

    Raises:
        Conflict: ``line-stopped`` with the reason.
    """
    for stop in stops_in(session, workspace.device_id):
        raise Conflict("line-stopped", reason=stop.reason)
