"""What all presenters of one window share: the open station, who is signed in, the screen, work, notices, messages.

Presenters import the operations inside what they run, so that the window does not wait for the runtime to load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from app.window.presenting.event import Event
from app.window.presenting.image_sources import ImageSources
from app.window.presenting.messages import SigningOut
from app.window.presenting.notices import Notice, Notices
from app.window.presenting.presenter import Presenter
from app.window.presenting.running import Lane, Runner, Task
from models.errors import UserFacingError

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser
    from app.station.workspace import Workspace

Message = TypeVar("Message")


class StationContext:
    """The shared state of a window.

    Attributes:
        workspace: the open station.
        runner: runs operations off the UI thread.
        notices: what the banner shows.
        sources: where images come from.
        user: who is signed in.
        at_work: parts are being inspected; until that is left the window starts there.
        screen: name of the screen that is shown.

    Events:
        screen_changed: the screen to show.
        user_changed: who is signed in now, None after signing out.
    """

    def __init__(self, workspace: Workspace, runner: Runner, *, source_spec: str = "") -> None:
        self.workspace = workspace
        self.runner = runner
        self.notices = Notices()
        self.sources = ImageSources(source_spec or workspace.settings.source, workspace.settings.reading)
        self.user: SignedInUser | None = None
        self.at_work = False
        self.screen = ""
        self.screen_changed: Event[str] = Event()
        self.user_changed: Event[SignedInUser | None] = Event()
        self._presenters: dict[str, Presenter] = {}
        self._needs_user: set[str] = set()
        self._subscribers: dict[type, list[Callable[[Any], object]]] = {}

    @property
    def signed_in_user(self) -> SignedInUser:
        """Who is signed in.

        Raises:
            RuntimeError: when nobody is; screens that need a user are not reachable then.
        """
        if self.user is None:
            raise RuntimeError("nobody is signed in")
        return self.user

    @property
    def user_id(self) -> str | None:
        """Id of who is signed in, None while nobody is; another sign-in of the same person has the same."""
        return None if self.user is None else self.user.user_id

    def register(self, name: str, presenter: Presenter, *, needs_user: bool) -> None:
        """Add the screen called ``name``; one that needs a user is not shown while nobody is signed in."""
        self._presenters[name] = presenter
        if needs_user:
            self._needs_user.add(name)

    def reachable_screens(self) -> list[str]:
        """Return the screens the navigation list offers now, in the order in which they were registered."""
        return [name for name, presenter in self._presenters.items() if self._allows(name) and presenter.is_reachable]

    def go_to(self, screen: str) -> None:
        """Show another screen; the start screen instead of one that needs a user while nobody is signed in."""
        self._show(screen if self._allows(screen) else self._start_screen())

    def go_to_start(self) -> None:
        """Show the screen where one begins: sign-in, home, or the work that is under way."""
        self._show(self._start_screen())

    def publish(self, message: object) -> None:
        """Give ``message`` to everybody who subscribed to its class."""
        for callback in tuple(self._subscribers.get(type(message), ())):
            callback(message)

    def subscribe(self, kind: type[Message], callback: Callable[[Message], object]) -> None:
        """Call ``callback`` with every later message of class ``kind``."""
        self._subscribers.setdefault(kind, []).append(callback)

    def sign_in(self, user: SignedInUser) -> None:
        """Let ``user`` work."""
        self.user = user
        self.notices.change_person(self.user_id)
        self.user_changed.emit(user)

    def sign_out(self) -> None:
        """End the user's work; the start screen is shown at once, the record of it follows."""
        user, workspace = self.user, self.workspace
        if user is None:
            return
        self.publish(SigningOut())
        self.user = None
        self.notices.change_person(self.user_id)
        self.user_changed.emit(None)
        self.go_to_start()

        def sign_out(_: Task) -> None:
            from app.station.operations.sign_in import sign_out

            sign_out(workspace, user)

        self.runner.run(
            sign_out,
            lane=Lane.NETWORK,
            on_success=lambda _: None,
            on_failure=self.report("sign-out"),
        )

    def save_settings(self, **changes: object) -> None:
        """Save settings for the next start; a failure becomes a notice."""
        store = self.workspace.store

        def save(_: Task) -> None:
            from app.station.settings import save_settings

            save_settings(store, **changes)

        self.runner.run(
            save,
            lane=Lane.DATABASE,
            on_success=lambda _: self.notices.clear("settings"),
            on_failure=self.report("settings"),
        )

    def report(
        self,
        about: str,
        *,
        retry: Callable[[], object] | None = None,
        screen: str | None = None,
        personal: bool = False,
        failed: Event[UserFacingError] | None = None,
    ) -> Callable[[UserFacingError], None]:
        """Return a callback that makes an error a notice; ask for it when what may fail begins.

        Args:
            about: its subject.
            retry: called when the person wants to try again.
            screen: the one screen the notice matters on; None for all of them.
            personal: the error answers what the person did who is at the station now, as ``Notice.personal``; when
                they have gone meanwhile, it is kept until they are back.
            failed: emitted with the error too.
        """
        asked = self.user_id

        def report(error: UserFacingError) -> None:
            if personal and self.user_id != asked:
                self.notices.keep_for(asked, Notice(about, error, retry=retry, screen=screen, personal=True))
            else:
                self.notices.add(about, error, retry=retry, screen=screen, personal=personal)
            if failed is not None:
                failed.emit(error)

        return report

    def _allows(self, screen: str) -> bool:
        return self.user is not None or screen not in self._needs_user

    def _start_screen(self) -> str:
        """Return the first screen in order that is the start now.

        Raises:
            RuntimeError: when no feature offers one.
        """
        for name, presenter in self._presenters.items():
            if self._allows(name) and presenter.is_start:
                return name
        raise RuntimeError("no feature offers a start screen")

    def _show(self, screen: str) -> None:
        self.screen = screen
        self.notices.show_for(screen)
        self.screen_changed.emit(screen)
