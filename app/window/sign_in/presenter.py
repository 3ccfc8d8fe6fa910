"""Signing in: with the server when it answers, without it for users it has sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.running import Lane, Task
from models.errors import InvalidInput, UserFacingError

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser


@dataclass(frozen=True, slots=True)
class SignInState:
    """What the screen shows.

    Attributes:
        busy: the credentials are being checked.
    """

    busy: bool = False


class SignInPresenter:
    """Decides what happens on the sign-in screen.

    Events:
        changed: the state to show.
        signed_in: who signed in.
        failed: why nobody did.
    """

    def __init__(self, context: StationContext) -> None:
        self._context = context
        self.state = SignInState()
        self.changed: Event[SignInState] = Event()
        self.signed_in: Event[SignedInUser] = Event()
        self.failed: Event[UserFacingError] = Event()

    def sign_in(self, username: str, password: str) -> None:
        """Check the credentials, off the UI thread; the password is not kept."""
        if self.state.busy:
            return
        if not username.strip() or not password:
            self._fail(InvalidInput("window-credentials-missing"))
            return
        self._context.notices.clear("sign-in")
        self._show(SignInState(busy=True))
        workspace = self._context.workspace

        def check(_: Task) -> SignedInUser:
            from app.station.operations.sign_in import sign_in

            return sign_in(workspace, username.strip(), password)

        self._context.runner.run(
            check,
            lane=Lane.NETWORK,
            on_success=self._succeed,
            on_failure=self._fail,
            on_finished=lambda: self._show(SignInState()),
        )

    def _succeed(self, user: SignedInUser) -> None:
        self._context.sign_in(user)
        self._context.go_to("home")
        self.signed_in.emit(user)

    def _fail(self, error: UserFacingError) -> None:
        self._context.notices.tell("sign-in", error)
        self.failed.emit(error)

    def _show(self, state: SignInState) -> None:
        self.state = state
        self.changed.emit(state)
