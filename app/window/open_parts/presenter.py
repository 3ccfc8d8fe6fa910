"""Offers the parts that were left open when the station ended, to go on with or to cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.window.open_parts.state import OpenPartsState
from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.messages import ResumePart
from app.window.presenting.presenter import Presenter
from app.window.presenting.running import Lane, Task
from models.errors import UserFacingError

if TYPE_CHECKING:
    from app.station.operations.open_sessions import OpenPart, ReopenedPart
    from app.station.operations.users import SignedInUser

SCREEN = "open_parts"
"""Name of the screen."""


class OpenPartsPresenter(Presenter):
    """Decides what happens on the screen of open parts; publishes ``ResumePart``.

    Only sessions that were open when the store was opened are offered: a part that is being inspected is not.

    Events:
        changed: the state to show.
        failed: what went wrong; the banner shows it too.
    """

    def __init__(self, context: StationContext) -> None:
        super().__init__(context)
        self.state = OpenPartsState(waiting=frozenset(context.workspace.recovery.sessions_open))
        self.changed: Event[OpenPartsState] = Event()
        self.failed: Event[UserFacingError] = Event()
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

        self._context.runner.run(read, lane=Lane.DATABASE, on_success=self._show_parts, on_failure=self._fail)

    def choose(self, session_id: str) -> None:
        """Choose a part."""
        self._show(replace(self.state, chosen_id=session_id))

    def resume(self) -> None:
        """Go on with the chosen part where it was left."""
        part = self.state.chosen
        if part is None or self.state.busy:
            return
        workspace = self._context.workspace

        def read(_: Task) -> ReopenedPart:
            from app.station.operations.open_sessions import reopen_part

            return reopen_part(workspace, part.session_id)

        self._begin()
        self._context.runner.run(
            read, lane=Lane.DATABASE, on_success=self._resumed, on_failure=self._fail, on_finished=self._end
        )

    def cancel(self) -> None:
        """Cancel the chosen part: it ends without a decision and has to be inspected again."""
        part = self.state.chosen
        if part is None or self.state.busy:
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
            on_failure=self._fail,
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
        if not self.state.waiting:
            self._context.go_to_start()

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

    def _follow_user(self, user: SignedInUser | None) -> None:
        """Offer what still waits to everybody who signs in."""
        if user is None:
            self._show(replace(self.state, postponed=False))

    def _begin(self) -> None:
        self._context.notices.clear(SCREEN)
        self._show(replace(self.state, busy=True))

    def _end(self) -> None:
        self._show(replace(self.state, busy=False))

    def _fail(self, error: UserFacingError) -> None:
        self._context.notices.add(SCREEN, error, screen=SCREEN)
        self.failed.emit(error)

    def _show(self, state: OpenPartsState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)
