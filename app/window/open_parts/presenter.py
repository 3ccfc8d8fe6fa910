"""Offers the parts that were left open when the station ended, to go on with or to cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.window.open_parts.state import OpenPartsState
from app.window.presenting.context import StationContext
from app.window.presenting.messages import PartLeftOpen, ResumePart
from app.window.presenting.running import Lane, Task
from app.window.presenting.state_presenter import StatePresenter

if TYPE_CHECKING:
    from app.station.operations.open_sessions import OpenPart, ReopenedPart
    from app.station.operations.users import SignedInUser

SCREEN = "open_parts"
"""Name of the screen."""


class OpenPartsPresenter(StatePresenter[OpenPartsState]):
    """Decides what happens on the screen of open parts; publishes ``ResumePart``.

    Only sessions that were open when the store was opened, or left open since, are offered: a part that is being
    inspected is not.
    """

    def __init__(self, context: StationContext) -> None:
        super().__init__(context, OpenPartsState(waiting=frozenset(context.workspace.recovery.sessions_open)))
        context.subscribe(PartLeftOpen, self._wait_for)
        context.user_changed.connect(self._follow_user)

    @property
    def is_start(self) -> bool:
        """Whether parts wait and the person has not put them off."""
        return self.is_reachable and not self.state.postponed

    @property
    def is_reachable(self) -> bool:
        """Whether parts wait and nothing is being inspected."""
        return bool(self.state.waiting) and not self._context.at_work

    def refresh(self) -> None:
        """Read the parts that wait."""
        workspace = self._context.workspace

        def read(_: Task) -> list[OpenPart]:
            from app.station.operations.open_sessions import open_parts

            return open_parts(workspace)

        self._context.runner.run(
            read, lane=Lane.DATABASE, on_success=self._show_parts, on_failure=self._report(SCREEN, screen=SCREEN)
        )

    def choose(self, session_id: str) -> None:
        """Choose a part."""
        self._show(replace(self.state, chosen_id=session_id))

    def resume(self) -> None:
        """Go on with the chosen part where it was left."""
        part = self.state.chosen
        if part is None or not self.state.may_act:
            return
        workspace = self._context.workspace

        def read(_: Task) -> ReopenedPart:
            from app.station.operations.open_sessions import reopen_part

            return reopen_part(workspace, part.session_id)

        self._begin()
        self._context.runner.run(
            read,
            lane=Lane.DATABASE,
            on_success=self._resumed,
            # Read again after a failure: the part may have ended.
            on_failure=self._report(SCREEN, screen=SCREEN, personal=True, then=self.refresh),
            on_finished=self._end,
        )

    def cancel(self) -> None:
        """Cancel the chosen part: it ends without a decision and has to be inspected again."""
        part = self.state.chosen
        if part is None or not self.state.may_discard:
            return
        workspace, user = self._context.workspace, self._context.signed_in_user

        def cancel(_: Task) -> None:
            from app.station.operations.sessions import cancel_session

            cancel_session(workspace, user, part.session_id, reason="not resumed after the station had ended")

        self._begin()
        self._context.runner.run(
            cancel,
            lane=Lane.DATABASE,
            on_success=lambda _: self._cancelled(part.session_id),
            # Read again after a failure: the part may have ended.
            on_failure=self._report(SCREEN, screen=SCREEN, personal=True, then=self.refresh),
            on_finished=self._end,
        )

    def postpone(self) -> None:
        """Do other work first; the parts stay in the navigation list."""
        self._show(replace(self.state, postponed=True))
        self._context.go_to_start()

    def _resumed(self, part: ReopenedPart) -> None:
        self._forget(part.session_id)
        self._context.publish(ResumePart(part))

    def _cancelled(self, session_id: str) -> None:
        self._forget(session_id)
        self._leave_when_empty()

    def _forget(self, session_id: str) -> None:
        parts = tuple(part for part in self.state.parts if part.session_id != session_id)
        self._show(
            replace(
                self.state,
                parts=parts,
                chosen_id=next((part.session_id for part in parts), None),
                waiting=self.state.waiting - {session_id},
            )
        )

    def _show_parts(self, found: list[OpenPart]) -> None:
        parts = tuple(part for part in found if part.session_id in self.state.waiting)
        kept = self.state.chosen_id in {part.session_id for part in parts}
        chosen_id = self.state.chosen_id if kept else next((part.session_id for part in parts), None)
        self._show(
            replace(
                self.state,
                parts=parts,
                chosen_id=chosen_id,
                waiting=frozenset(part.session_id for part in parts),
            )
        )
        self._leave_when_empty()

    def _leave_when_empty(self) -> None:
        if not self.state.waiting and self._context.screen == SCREEN:
            self._context.go_to_start()

    def _follow_user(self, user: SignedInUser | None) -> None:
        """Offer what still waits to everybody who signs in."""
        self._show(replace(self.state, user=user, postponed=self.state.postponed and user is not None))

    def _wait_for(self, left: PartLeftOpen) -> None:
        """Offer a part that was left open; it is read with the others on entry."""
        self._show(replace(self.state, waiting=self.state.waiting | {left.session_id}, postponed=False))
        if self._context.screen == SCREEN:
            self.refresh()

    def _begin(self) -> None:
        self._context.notices.clear(SCREEN)
        self._show(replace(self.state, busy=True))

    def _end(self) -> None:
        self._show(replace(self.state, busy=False))
