"""Shows the changes that the server refused; sends them again, mended or as they are, or gives them up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.window.dead_letters.state import DeadLettersState
from app.window.presenting.context import StationContext
from app.window.presenting.messages import RefusedChangesWanted, SyncPageWanted, SyncStatusChanged
from app.window.presenting.running import Lane, Task
from app.window.presenting.state_presenter import StatePresenter

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.station.operations.users import SignedInUser
    from sync.station.dead_letters import DeadLetter
    from sync.station.dropping import Consequences

SCREEN = "dead_letters"
"""Name of the screen."""


class DeadLettersPresenter(StatePresenter[DeadLettersState]):
    """Decides what happens on the screen of refused changes."""

    def __init__(self, context: StationContext) -> None:
        super().__init__(context, DeadLettersState())
        context.subscribe(SyncStatusChanged, self._follow_status)
        context.subscribe(RefusedChangesWanted, lambda _: context.go_to(SCREEN))
        context.user_changed.connect(self._follow_user)

    @property
    def is_reachable(self) -> bool:
        """Whether there are refused changes."""
        return self.state.waiting > 0

    def refresh(self) -> None:
        """Read the refused changes."""
        workspace = self._context.workspace

        def read(_: Task) -> tuple[list[DeadLetter], frozenset[str]]:
            from app.station.operations.dead_letters import dead_letter_list, is_master

            letters = dead_letter_list(workspace)
            return letters, frozenset(letter.change_id for letter in letters if is_master(letter))

        self._context.runner.run(
            read, lane=Lane.DATABASE, on_success=self._show_letters, on_failure=self._report(SCREEN, screen=SCREEN)
        )

    def choose(self, change_id: str) -> None:
        """Choose a change; what was typed for another one is forgotten."""
        if change_id != self.state.chosen_id:
            self._choose(replace(self.state, mended={}, goes_along=None), change_id)

    def choose_field(self, name: str) -> None:
        """Choose a field of the chosen change."""
        self._show(replace(self.state, field_name=name))

    def mend(self, text: str) -> None:
        """Give the chosen field the value that was typed."""
        state = self.state
        if state.field_name is None or not state.may_mend:
            return
        same = state.chosen_field is not None and state.chosen_field.text == text
        others = {name: typed for name, typed in state.mended.items() if name != state.field_name}
        self._show(replace(state, mended=others if same else {**others, state.field_name: text}))

    def send(self) -> None:
        """Send the chosen change again, with what was typed."""
        letter, typed = self.state.chosen, dict(self.state.mended)
        if letter is None or not self.state.may_send:
            return
        workspace, user = self._context.workspace, self._context.signed_in_user

        def send(_: Task) -> None:
            from app.station.operations.dead_letters import send_again

            send_again(workspace, user, letter, typed)

        self._run(send, self._dealt_with)

    def send_all(self) -> None:
        """Send every change that was refused for the chosen one's reason again."""
        letter = self.state.chosen
        if letter is None or not self.state.may_send_all:
            return
        workspace, user = self._context.workspace, self._context.signed_in_user

        def send(_: Task) -> None:
            from app.station.operations.dead_letters import send_all_again

            send_all_again(workspace, user, letter.code)

        self._run(send, self._dealt_with)

    def ask_why(self) -> None:
        """Ask why the chosen change is given up, and say what goes with it."""
        letter = self.state.chosen
        if letter is None or not self.state.may_drop:
            return
        workspace, user_id = self._context.workspace, self._context.user_id

        def read(_: Task) -> Consequences:
            from app.station.operations.dead_letters import what_goes_with

            return what_goes_with(workspace, letter)

        def show(goes: Consequences) -> None:
            asked = self._context.user_id == user_id
            if asked and self.state.chosen_id == letter.change_id and self.state.may_drop:
                self._show(replace(self.state, goes_along=goes))

        self._context.runner.run(
            read,
            lane=Lane.DATABASE,
            on_success=show,
            on_failure=self._report(SCREEN, screen=SCREEN, personal=True, then=self._read_anew),
        )

    def drop(self, reason: str) -> None:
        """Give the chosen change up for good, once there is a reason."""
        letter, goes, reason = self.state.chosen, self.state.goes_along, reason.strip()
        if letter is None or goes is None or not (self.state.may_drop and reason):
            return
        workspace, user = self._context.workspace, self._context.signed_in_user

        def drop(_: Task) -> None:
            from app.station.operations.dead_letters import give_up

            give_up(workspace, user, letter, reason, goes)

        self._run(drop, self._dealt_with)

    def export(self) -> None:
        """Write all refused changes to a file in the person's documents."""
        if self.state.busy:
            return
        workspace = self._context.workspace

        def export(_: Task) -> Path:
            from datetime import datetime

            from app.station.operations.dead_letters import export_file

            return export_file(workspace, datetime.now().astimezone())

        self._run(export, lambda path: self._show(replace(self.state, exported=path)))

    def leave(self) -> None:
        """Leave the question why, else go back to the page of the synchronisation."""
        if self.state.dropping:
            self._show(replace(self.state, goes_along=None))
        else:
            self._context.publish(SyncPageWanted())

    def _run(self, operation: Callable[[Task], Any], on_success: Callable[[Any], object]) -> None:
        self._context.notices.clear(SCREEN)
        self._show(replace(self.state, busy=True, exported=None))
        self._context.runner.run(
            operation,
            lane=Lane.DATABASE,
            on_success=on_success,
            on_failure=self._report(SCREEN, screen=SCREEN, personal=True, then=self._read_anew),
            on_finished=lambda: self._show(replace(self.state, busy=False)),
        )

    def _dealt_with(self, _: object) -> None:
        self._show(replace(self.state, mended={}, goes_along=None))
        self.refresh()

    def _read_anew(self) -> None:
        """Read again after a failure: others may have done it."""
        self._show(replace(self.state, goes_along=None))
        self.refresh()

    def _show_letters(self, found: tuple[list[DeadLetter], frozenset[str]]) -> None:
        letters, masters = found
        state = replace(self.state, letters=tuple(letters), masters=masters, waiting=len(letters))
        if state.chosen is not None:
            self._show(state)
            return
        state = replace(state, mended={}, goes_along=None)
        self._choose(state, letters[0].change_id if letters else None)

    def _choose(self, state: DeadLettersState, change_id: str | None) -> None:
        """Show a change with the first field of it that can be mended."""
        state = replace(state, chosen_id=change_id)
        fields = state.chosen.shown_fields if state.chosen is not None else ()
        first = next((shown for shown in fields if shown.mendable), next(iter(fields), None))
        self._show(replace(state, field_name=first.name if first is not None else None))

    def _follow_status(self, message: SyncStatusChanged) -> None:
        changed = message.status.dead != self.state.waiting
        self._show(replace(self.state, waiting=message.status.dead))
        if changed and self._context.screen == SCREEN:
            self.refresh()

    def _follow_user(self, user: SignedInUser | None) -> None:
        self._show(replace(self.state, user=user, mended={}, goes_along=None))
