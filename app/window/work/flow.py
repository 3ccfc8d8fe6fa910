"""The state of the work screen, and what keeps late answers out of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.work.state import SCREEN, Phase, WorkState
from models.errors import UserFacingError

Value = TypeVar("Value")


class WorkFlow:
    """Shared by capture and verification of the work screen.

    Attributes:
        state: what is shown.
        decision_since: when the person could first decide on this part, in seconds of ``clock``.

    Events:
        changed: the state to show.
        failed: what went wrong; the banner shows it too.
    """

    def __init__(self, context: StationContext, clock: Callable[[], float] = time.monotonic) -> None:
        self.context = context
        self.clock = clock
        self.state = WorkState()
        self.decision_since = 0.0
        self.changed: Event[WorkState] = Event()
        self.failed: Event[UserFacingError] = Event()
        self._visit = 0
        self._work_number = 0

    def show(self, state: WorkState) -> None:
        """Show ``state``."""
        if state != self.state:
            if state.phase is Phase.DECIDE and not self.state.shows_evidence:
                self.decision_since = self.clock()
            self.state = state
            self.changed.emit(state)

    def leave(self) -> None:
        """Drop the answers of everything that is still running."""
        self._visit += 1
        self._work_number += 1

    def report(self, about: str, retry: Callable[[], object] | None = None) -> Callable[[UserFacingError], None]:
        """Return a callback that makes an error a notice of this screen about ``about``."""
        return self.context.report(about, retry=retry, screen=SCREEN, failed=self.failed)

    def unless_left(
        self, callback: Callable[[Value], object], *, left: Callable[[Value], object] | None = None
    ) -> Callable[[Value], None]:
        """Return ``callback`` for work that begins now; an answer after the person has left goes to ``left``."""
        visit = self._visit

        def arrived(value: Value) -> None:
            if visit == self._visit:
                callback(value)
            elif left is not None:
                left(value)

        return arrived

    def otherwise(self, unfinished: Phase, phase: Phase) -> Callable[[], None]:
        """Return a callback that goes back to ``phase`` when the work that begins now has left ``unfinished`` shown."""
        self._work_number += 1
        number = self._work_number

        def fall_back() -> None:
            # What succeeded may have begun the next piece of work already.
            if self.state.phase is unfinished and number == self._work_number:
                self.show(replace(self.state, phase=phase, human=self.state.human if phase is Phase.REASON else None))

        return fall_back
