"""The stop of the line: shown as soon as it arrives by sync, on every screen, until the server takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.window.presenting.context import StationContext
from app.window.presenting.messages import SyncStatusChanged
from app.window.presenting.running import Lane, Task
from models.errors import Conflict

if TYPE_CHECKING:
    from app.station.operations.line_stops import LineStopView

ABOUT = "line"


class LineStopNotice:
    """Keeps the notice of a stop in line with the store; parts are refused by the operation that begins them.

    Args:
        context: of the station.
    """

    def __init__(self, context: StationContext) -> None:
        self._context = context
        self._shown: tuple[LineStopView, ...] = ()
        context.subscribe(SyncStatusChanged, lambda _: self.look())

    def look(self) -> None:
        """Read the stops that hold, and show the first of them."""
        workspace = self._context.workspace

        def read(_: Task) -> list[LineStopView]:
            from app.station.operations.line_stops import line_stops

            return line_stops(workspace)

        self._context.runner.run(
            read, lane=Lane.DATABASE, on_success=self._show, on_failure=self._context.report(ABOUT, retry=self.look)
        )

    def _show(self, found: list[LineStopView]) -> None:
        stops = tuple(found)
        # One that a person has dismissed comes back with the next part that it refuses, not with every pass.
        if stops == self._shown:
            return
        self._shown = stops
        if stops:
            self._context.notices.add(ABOUT, Conflict("line-stopped", reason=stops[0].reason))
        else:
            self._context.notices.clear(ABOUT)
            self._context.notices.clear("capture")
