"""Follows the sync engine; its status is polled, so that nothing waits for the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.messages import (
    ConflictsWanted,
    RefusedChangesWanted,
    StationEnrolled,
    SyncPageWanted,
    SyncStatusChanged,
)
from app.window.presenting.notices import Level
from app.window.presenting.running import Lane, Task
from app.window.presenting.state_presenter import StatePresenter
from app.window.sync.state import SyncState
from models.errors import UserFacingError

if TYPE_CHECKING:
    from sync.station.engine import SyncReport, SyncStatus


SCREEN = "sync"
"""Name of the screen."""
_STOPPED = "sync-stopped"


class SyncPresenter(StatePresenter[SyncState]):
    """Decides what happens on the sync page; publishes ``SyncStatusChanged``.

    Events:
        finished: a pass that the person asked for has ended.
    """

    def __init__(self, context: StationContext) -> None:
        super().__init__(context, SyncState(enrolled=context.workspace.enrolled))
        self._asking = False
        self._warned: set[str] = set()
        self.finished: Event[SyncReport] = Event()
        context.subscribe(StationEnrolled, lambda _: self.refresh())
        context.subscribe(SyncPageWanted, lambda _: context.go_to(SCREEN))

    def poll(self) -> None:
        """Read the status again."""
        self.refresh()

    def refresh(self) -> None:
        """Read the status; does nothing while an earlier read is running."""
        if self._asking:
            return
        self._asking = True
        workspace = self._context.workspace

        def ask(_: Task) -> tuple[SyncStatus, dict[str, UserFacingError | None]]:
            from app.station.operations.retention import disk_warning
            from app.station.operations.sync_overview import release_warning
            from app.station.operations.sync_status import clock_warning, sync_status

            status = sync_status(workspace)
            return status, {
                "clock": clock_warning(workspace),
                "disk": disk_warning(workspace, status),
                "model-release": release_warning(workspace),
            }

        self._context.runner.run(
            ask,
            lane=Lane.STATUS,
            on_success=lambda found: self._show_found(*found),
            on_failure=self._report("sync-status"),
            on_finished=self._answered,
        )

    def sync_now(self) -> None:
        """Exchange with the server now."""
        if self.state.busy:
            return
        self._context.notices.clear("sync")
        self._show(replace(self.state, busy=True))
        workspace = self._context.workspace

        def exchange(_: Task) -> SyncReport:
            from app.station.operations.sync_status import sync_now

            return sync_now(workspace)

        self._context.runner.run(
            exchange,
            lane=Lane.NETWORK,
            on_success=self.finished.emit,
            on_failure=self._pass_failed(),
            on_finished=self._synchronised,
        )

    def stop(self) -> None:
        """End the pass that is on; the next one goes on from there."""
        engine = self._context.workspace.engine
        if engine is not None:
            engine.cancel()

    def show_refused(self) -> None:
        """Show the changes that the server refused."""
        self._context.publish(RefusedChangesWanted())

    def show_conflicts(self) -> None:
        """Show the edits that lost to newer ones."""
        self._context.publish(ConflictsWanted())

    def close_page(self) -> None:
        """Go back to where one begins: the work under way, home, or sign-in."""
        self._context.go_to_start()

    def show_status(self, status: SyncStatus) -> None:
        """Show ``status``, and publish it when it is another than before."""
        before = self.state.status
        self._context.notices.clear("sync-status")
        if status.last_error is None and not status.running and status.online:
            # A later pass has succeeded: what an earlier one failed by is over.
            self._context.notices.clear("sync")
        self._show(replace(self.state, status=status, enrolled=self._context.workspace.enrolled))
        if status != before:
            self._context.publish(SyncStatusChanged(status))

    def _show_found(self, status: SyncStatus, warnings: Mapping[str, UserFacingError | None]) -> None:
        for about, warning in warnings.items():
            self._warn(about, warning)
        self.show_status(status)

    def _warn(self, about: str, warning: UserFacingError | None) -> None:
        """Give one notice when something begins to be the case; it goes when that is over."""
        if warning is None:
            self._context.notices.clear(about)
            self._warned.discard(about)
        elif about not in self._warned:
            self._context.notices.add(about, warning, level=Level.HINT)
            self._warned.add(about)

    def _pass_failed(self) -> Callable[[UserFacingError], None]:
        """Return what makes a notice of why the pass that begins now failed; that a person stopped it is none."""
        report = self._report("sync", retry=self.sync_now, personal=True)

        def failed(error: UserFacingError) -> None:
            if error.code != _STOPPED:
                report(error)

        return failed

    def _answered(self) -> None:
        self._asking = False

    def _synchronised(self) -> None:
        self._show(replace(self.state, busy=False))
        self.refresh()
