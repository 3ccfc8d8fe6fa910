"""Shows the edits of this station that lost to newer ones; a person leaves them so or sets the value again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.window.conflicts.state import ConflictsState
from app.window.presenting.context import StationContext
from app.window.presenting.messages import ConflictsWanted, SyncPageWanted, SyncStatusChanged
from app.window.presenting.running import Lane, Task
from app.window.presenting.state_presenter import StatePresenter

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser
    from sync.station.conflicts import ShownConflict

SCREEN = "conflicts"
"""Name of the screen."""


class ConflictsPresenter(StatePresenter[ConflictsState]):
    """Decides what happens on the screen of conflicts."""

    def __init__(self, context: StationContext) -> None:
        super().__init__(context, ConflictsState())
        context.subscribe(SyncStatusChanged, self._follow_status)
        context.subscribe(ConflictsWanted, lambda _: context.go_to(SCREEN))
        context.user_changed.connect(self._follow_user)

    @property
    def is_reachable(self) -> bool:
        """Whether there are conflicts that nobody has decided about."""
        return self.state.waiting > 0

    def refresh(self) -> None:
        """Read the conflicts."""
        workspace, with_seen = self._context.workspace, self.state.with_seen

        def read(_: Task) -> list[ShownConflict]:
            from app.station.operations.conflicts import conflict_list

            return conflict_list(workspace, seen=with_seen)

        self._context.runner.run(
            read, lane=Lane.DATABASE, on_success=self._show_conflicts, on_failure=self._report(SCREEN, screen=SCREEN)
        )

    def choose(self, conflict_id: str) -> None:
        """Choose a conflict."""
        self._show(replace(self.state, chosen_id=conflict_id))

    def toggle_seen(self) -> None:
        """Show those that were decided too, or hide them again."""
        self._show(replace(self.state, with_seen=not self.state.with_seen))
        self.refresh()

    def keep_theirs(self) -> None:
        """Leave the value that was kept."""
        conflict = self.state.chosen
        if conflict is None or not self.state.may_keep:
            return
        workspace, user = self._context.workspace, self._context.signed_in_user

        def keep(_: Task) -> None:
            from app.station.operations.conflicts import keep_theirs

            keep_theirs(workspace, user, [conflict.id])

        self._run(keep)

    def take_mine(self) -> None:
        """Set the value that lost again."""
        conflict = self.state.chosen
        if conflict is None or not self.state.may_take:
            return
        workspace, user = self._context.workspace, self._context.signed_in_user

        def take(_: Task) -> None:
            from app.station.operations.conflicts import take_mine

            take_mine(workspace, user, conflict.id)

        self._run(take)

    def leave(self) -> None:
        """Go back to the page of the synchronisation."""
        self._context.publish(SyncPageWanted())

    def _run(self, operation: Callable[[Task], None]) -> None:
        self._context.notices.clear(SCREEN)
        self._show(replace(self.state, busy=True))
        self._context.runner.run(
            operation,
            lane=Lane.DATABASE,
            on_success=lambda _: self.refresh(),
            # Read again after a failure: others may have decided.
            on_failure=self._report(SCREEN, screen=SCREEN, personal=True, then=self.refresh),
            on_finished=lambda: self._show(replace(self.state, busy=False)),
        )

    def _show_conflicts(self, found: list[ShownConflict]) -> None:
        waiting = sum(conflict.seen_at is None for conflict in found)
        state = replace(self.state, conflicts=tuple(found), waiting=waiting)
        if state.chosen is None:
            state = replace(state, chosen_id=found[0].id if found else None)
        self._show(state)

    def _follow_status(self, message: SyncStatusChanged) -> None:
        changed = message.status.conflicts != self.state.waiting
        self._show(replace(self.state, waiting=message.status.conflicts))
        if changed and self._context.screen == SCREEN:
            self.refresh()

    def _follow_user(self, user: SignedInUser | None) -> None:
        self._show(replace(self.state, user=user))
