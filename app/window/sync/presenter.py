"""What the sync chip and the sync page show; asked for now and then, so that nothing waits for the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.running import Lane, Task

if TYPE_CHECKING:
    from sync.station.engine import SyncReport, SyncStatus


class SyncPresenter:
    """Follows the sync engine.

    Events:
        changed: the status to show.
        finished: a pass that the person asked for has ended.
    """

    def __init__(self, context: StationContext) -> None:
        self._context = context
        self._asking = False
        self.status: SyncStatus | None = None
        self.busy = False
        self.changed: Event[SyncStatus] = Event()
        self.finished: Event[SyncReport] = Event()

    @property
    def enrolled(self) -> bool:
        """Whether there is a server to synchronise with."""
        return self._context.workspace.enrolled

    def refresh(self) -> None:
        """Ask how it stands; a question that is still open is not asked again."""
        if self._asking:
            return
        self._asking = True
        workspace = self._context.workspace

        def ask(_: Task) -> SyncStatus:
            from app.station.operations.sync_status import sync_status

            return sync_status(workspace)

        self._context.runner.run(
            ask,
            lane=Lane.STATUS,
            on_success=self._show,
            on_failure=self._context.trouble("sync-status"),
            on_finished=self._answered,
        )

    def sync_now(self) -> None:
        """Exchange with the server now."""
        if self.busy:
            return
        self.busy = True
        self._context.notices.clear("sync")
        workspace = self._context.workspace

        def exchange(_: Task) -> SyncReport:
            from app.station.operations.sync_status import sync_now

            return sync_now(workspace)

        self._context.runner.run(
            exchange,
            lane=Lane.NETWORK,
            on_success=self.finished.emit,
            on_failure=self._context.trouble("sync", retry=self.sync_now),
            on_finished=self._synced,
        )

    def _show(self, status: SyncStatus) -> None:
        if status != self.status:
            self.status = status
            self.changed.emit(status)

    def _answered(self) -> None:
        self._asking = False

    def _synced(self) -> None:
        self.busy = False
        if self.status is not None:
            self.changed.emit(self.status)
        self.refresh()
