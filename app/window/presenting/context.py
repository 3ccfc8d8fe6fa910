"""What all presenters of one window share: the open station, who is signed in, how to run work, what to tell.

Presenters import the operations inside what they run, so that the window does not wait for the runtime to load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from app.window.presenting.event import Event
from app.window.presenting.notices import Notices
from app.window.presenting.running import Lane, Runner, Task
from models.errors import UserFacingError

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser
    from app.station.workspace import Workspace

ScreenName = Literal["enrolment", "sign_in", "home", "work", "sync"]
SCREENS: tuple[ScreenName, ...] = ("enrolment", "sign_in", "home", "work", "sync")


class StationContext:
    """The shared state of a window.

    Attributes:
        workspace: the open station.
        runner: runs operations off the UI thread.
        notices: what the banner tells.
        user: who is signed in.

    Events:
        screen_changed: the screen to show.
        user_changed: who is signed in now, None after signing out.
    """

    def __init__(self, workspace: Workspace, runner: Runner) -> None:
        self.workspace = workspace
        self.runner = runner
        self.notices = Notices()
        self.user: SignedInUser | None = None
        self.screen: ScreenName = "sign_in"
        self.screen_changed: Event[ScreenName] = Event()
        self.user_changed: Event[SignedInUser | None] = Event()

    @property
    def signed_in_user(self) -> SignedInUser:
        """Who is signed in.

        Raises:
            RuntimeError: when nobody is; screens that need a user are not reachable then.
        """
        if self.user is None:
            raise RuntimeError("nobody is signed in")
        return self.user

    def go_to(self, screen: ScreenName) -> None:
        """Show another screen."""
        self.screen = screen
        self.notices.show_for(screen)
        self.screen_changed.emit(screen)

    def sign_in(self, user: SignedInUser) -> None:
        """Let ``user`` work."""
        self.user = user
        self.user_changed.emit(user)

    def sign_out(self) -> None:
        """End the user's work; the screen goes back to sign-in at once, the record of it follows."""
        user, workspace = self.user, self.workspace
        if user is None:
            return
        self.user = None
        self.user_changed.emit(None)
        self.go_to("sign_in")

        def sign_out(_: Task) -> None:
            from app.station.operations.sign_in import sign_out

            sign_out(workspace, user)

        self.runner.run(
            sign_out,
            lane=Lane.NETWORK,
            on_success=lambda _: None,
            on_failure=self.trouble("sign-out"),
        )

    def trouble(self, about: str, retry: Callable[[], object] | None = None) -> Callable[[UserFacingError], None]:
        """Return what tells of an error about ``about``."""
        return lambda error: self.notices.tell(about, error, retry=retry)
