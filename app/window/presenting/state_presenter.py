"""Base of the presenters that show a state: one value, replaced by the next, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from app.window.presenting.event import Event
from app.window.presenting.presenter import Presenter
from models.errors import UserFacingError

if TYPE_CHECKING:
    from app.window.presenting.context import StationContext

State = TypeVar("State")


class StatePresenter(Presenter, Generic[State]):
    """A presenter whose screen shows one state.

    Attributes:
        state: what is shown.

    Events:
        changed: the state to show, when it is another than before.
        failed: what went wrong; the banner shows it too.
    """

    def __init__(self, context: StationContext, state: State) -> None:
        super().__init__(context)
        self.state = state
        self.changed: Event[State] = Event()
        self.failed: Event[UserFacingError] = Event()

    def _show(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)

    def _report(
        self,
        about: str,
        *,
        retry: Callable[[], object] | None = None,
        screen: str | None = None,
        personal: bool = False,
        then: Callable[[], object] | None = None,
    ) -> Callable[[UserFacingError], None]:
        """Return a callback that makes an error a notice about ``about``, emits ``failed``, and calls ``then``."""
        report = self._context.report(about, retry=retry, screen=screen, personal=personal, failed=self.failed)

        def report_then(error: UserFacingError) -> None:
            report(error)
            if then is not None:
                then()

        return report_then
