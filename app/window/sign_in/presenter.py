"""Signing in: with the server when it answers, without it for users it has sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.messages import StationEnrolled
from app.window.presenting.running import Lane, Task
from app.window.presenting.state_presenter import StatePresenter
from app.window.sign_in.state import SignInState
from models.errors import InvalidInput

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser


class SignInPresenter(StatePresenter[SignInState]):
    """Decides what happens on the sign-in screen.

    Events:
        signed_in: who signed in.
    """

    def __init__(self, context: StationContext) -> None:
        super().__init__(context, SignInState(enrolled=context.workspace.enrolled))
        self.signed_in: Event[SignedInUser] = Event()
        context.subscribe(StationEnrolled, lambda _: self._show(replace(self.state, enrolled=True)))

    @property
    def is_start(self) -> bool:
        """Whether nobody is signed in."""
        return self._context.user is None

    @property
    def is_reachable(self) -> bool:
        """Whether nobody is signed in."""
        return self._context.user is None

    def sign_in(self, username: str, password: str) -> None:
        """Check the credentials, off the UI thread; the password is not kept."""
        if self.state.busy:
            return
        if not username.strip() or not password:
            self._report("sign-in", personal=True)(InvalidInput("window-credentials-missing"))
            return
        self._context.notices.clear("sign-in")
        self._show(replace(self.state, busy=True))
        workspace = self._context.workspace

        def check(_: Task) -> SignedInUser:
            from app.station.operations.sign_in import sign_in

            return sign_in(workspace, username.strip(), password)

        self._context.runner.run(
            check,
            lane=Lane.NETWORK,
            on_success=self._succeed,
            on_failure=self._report("sign-in", personal=True),
            on_finished=lambda: self._show(replace(self.state, busy=False)),
        )

    def _succeed(self, user: SignedInUser) -> None:
        self._context.sign_in(user)
        self._context.go_to_start()
        self.signed_in.emit(user)
