"""Assembles the station's window from its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QCoreApplication, QEvent, QIODevice, QLocale, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.window.enrolment.presenter import EnrolmentPresenter, EnrolmentState
from app.window.enrolment.screen import EnrolmentScreen
from app.window.home.presenter import HomePresenter, HomeState
from app.window.home.screen import HomeScreen
from app.window.look.language import LanguageSwitch
from app.window.look.style_sheet import palette, style_sheet
from app.window.look.theme import THEMES, Sizes, ThemeName
from app.window.presenting.context import SCREENS, ScreenName, StationContext
from app.window.shell.actions import StationActions
from app.window.shell.application import prepare_application
from app.window.shell.main_window import StationWindow
from app.window.shell.screen import Look
from app.window.sign_in.presenter import SignInPresenter
from app.window.sign_in.screen import SignInScreen
from app.window.sync.presenter import SyncPresenter
from app.window.sync.screen import SyncScreen
from app.window.work.presenter import WorkPresenter
from app.window.work.screen import WorkScreen
from app.window.workers import Workers
from models.messages import Language, choose_language
from models.storage import make_folder, write_atomically

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser
    from app.station.workspace import Workspace
    from inspection.sources import ImageSource
    from sync.station.engine import SyncStatus

SYNC_STATUS_INTERVAL_MS = 2_000


@dataclass(frozen=True, slots=True)
class Presenters:
    """What each screen follows; ``session`` is who is signed in."""

    sign_in: SignInPresenter
    home: HomePresenter
    work: WorkPresenter
    sync: SyncPresenter
    enrolment: EnrolmentPresenter
    session: StationContext


class Station:
    """A running station: window, presenters and workers together.

    Args:
        workspace: the open store; the caller closes it after the station.
        source: an image source that is not opened yet, instead of one chosen at home.
        source_spec: image source specification, instead of the one in the settings.
        language: None takes that of the settings, else that of the system.
        theme: None takes that of the settings.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        source: ImageSource | None = None,
        source_spec: str = "",
        language: Language | None = None,
        theme: ThemeName | None = None,
    ) -> None:
        self.workers = Workers()
        self._workspace = workspace
        self._given_source: ImageSource | None = None
        self._closed = False
        context = StationContext(workspace, self.workers)
        self.presenters = Presenters(
            sign_in=SignInPresenter(context),
            home=HomePresenter(context, source=source_spec),
            work=WorkPresenter(context),
            sync=SyncPresenter(context),
            enrolment=EnrolmentPresenter(context),
            session=context,
        )
        self.theme_name: ThemeName = theme or workspace.settings.theme
        screen = QGuiApplication.primaryScreen()
        self.actions = StationActions(self.workers)
        self.look = Look(self.actions, THEMES[self.theme_name], Sizes.of_screen(screen.physicalDotsPerInch()))
        self.window = StationWindow(context, self.look)
        self._work_screen = WorkScreen(self.presenters.work, self.look, self.window)
        self._sync_screen = SyncScreen(self.presenters.sync, self.look)
        self._sign_in_screen = SignInScreen(self.presenters.sign_in, self.look, enrolled=workspace.enrolled)
        self.window.add_screens(
            {
                "enrolment": EnrolmentScreen(self.presenters.enrolment, self.look),
                "sign_in": self._sign_in_screen,
                "home": HomeScreen(self.presenters.home, self.look),
                "work": self._work_screen,
                "sync": self._sync_screen,
            }
        )
        self.window.sized_for(screen.availableSize().width(), screen.availableSize().height())
        self.language = LanguageSwitch(self.workers)
        self._connect(context)
        opacity = self._work_screen.evidence.opacity
        opacity.setValue(round(workspace.settings.opacity * 100))
        opacity.sliderReleased.connect(lambda: self._remember(opacity=opacity.value() / 100))
        self._timer = QTimer(self.workers)
        self._timer.setInterval(SYNC_STATUS_INTERVAL_MS)
        self._timer.timeout.connect(self.presenters.sync.refresh)
        self.set_theme(self.theme_name)
        self.set_language(language or workspace.settings.language or choose_language(QLocale.system().name()))
        if source is not None:
            self.set_source(source)
        context.go_to("sign_in" if workspace.enrolled else "enrolment")
        self._timer.start()
        self.presenters.sync.refresh()

    def start(self) -> None:
        """Let synchronisation run; call when the window is shown."""
        self.presenters.enrolment.begin()

    def show_screen(self, name: ScreenName) -> None:
        """Show the screen called ``name``."""
        self.presenters.session.go_to(name)

    def set_language(self, language: Language) -> None:
        """Show every text in ``language``."""
        self.language.show(language)

    def set_theme(self, name: ThemeName) -> None:
        """Use the colours of the theme called ``name``."""
        theme = THEMES[name]
        self.theme_name = name
        application = prepare_application()
        application.setPalette(palette(theme))
        self.window.setStyleSheet(style_sheet(theme, self.look.sizes))
        self.window.set_theme(theme)

    def set_source(self, source: ImageSource) -> None:
        """Take images from ``source``, not opened yet, instead of what is chosen at home."""
        self._given_source = source
        self.presenters.home.fix_source(source.describe())
        if self.presenters.session.screen == "work":
            self.presenters.work.use_source(lambda: source)

    def grab_screen(self, path: Path) -> Path:
        """Save the window as it is now as a PNG.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written``.
        """
        make_folder(path.parent)
        # What has just changed finds its place before the picture is taken.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.window.grab().save(buffer, "PNG")
        write_atomically(path, bytes(buffer.data().data()))
        return path

    def grab_all_screens(self, folder: Path, prefix: str = "") -> list[Path]:
        """Save every screen once and return to the one that was shown.

        Raises:
            Unavailable: ``file-disk-full`` or ``file-not-written``.
        """
        shown = self.presenters.session.screen
        paths = []
        for name in SCREENS:
            self.show_screen(name)
            QApplication.processEvents()
            paths.append(self.grab_screen(folder / "-".join(filter(None, (prefix, f"{name}.png")))))
        self.show_screen(shown)
        return paths

    def close(self) -> None:
        """Close the window and join every thread; may be called again."""
        if self._closed:
            return
        self._closed = True
        # Gone from the screen at once; what still runs is waited for out of sight.
        self.window.hide()
        self._timer.stop()
        self.presenters.work.close()
        self.workers.close()
        self._work_screen.router.close()
        self.language.remove()
        self.window.close()
        self.window.deleteLater()
        self.workers.deleteLater()

    def _connect(self, context: StationContext) -> None:
        actions, presenters = self.actions, self.presenters
        actions.language.triggered.connect(self._choose_language)
        actions.theme.triggered.connect(self._choose_theme)
        actions.sync.triggered.connect(lambda: context.go_to("sync"))
        actions.sign_out.triggered.connect(self._sign_out)
        actions.enrolment.triggered.connect(lambda: context.go_to("enrolment"))
        actions.home.triggered.connect(self._go_home)
        context.screen_changed.connect(self._show_screen)
        context.user_changed.connect(self._show_user)
        presenters.home.started.connect(self._start_work)
        presenters.sync.changed.connect(self._show_sync)
        presenters.work.changed.connect(lambda _: self.window.update_heading() if self._is_at_work() else None)
        presenters.enrolment.changed.connect(self._show_enrolment)
        presenters.enrolment.enrolled.connect(lambda _: presenters.sync.refresh())
        self.language.changed.connect(self._language_changed)
        self.window.closing.connect(self.close)

    def _is_at_work(self) -> bool:
        return self.presenters.session.screen == "work"

    def _show_screen(self, name: ScreenName) -> None:
        context, actions = self.presenters.session, self.actions
        self.window.show_screen(name)
        self._work_screen.router.active = name in {"work", "sync"}
        signed_in = context.user is not None
        actions.sync.setEnabled(name != "sync")
        actions.sign_out.setEnabled(signed_in)
        actions.sign_out.setVisible(signed_in)
        self._show_enrolment(self.presenters.enrolment.state)
        if name != "home":
            for action in (actions.start, actions.train, actions.choose_source):
                action.setEnabled(False)
        if name != "sync":
            actions.sync_now.setEnabled(False)
        else:
            actions.home.setEnabled(True)
            actions.home.setVisible(True)

    def _show_enrolment(self, state: EnrolmentState) -> None:
        action = self.actions.enrolment
        wanted = not state.enrolled or state.needs_credential
        action.setVisible(wanted)
        action.setEnabled(wanted and self.presenters.session.screen == "sign_in")
        self._sign_in_screen.set_enrolled(state.enrolled)

    def _go_home(self) -> None:
        context = self.presenters.session
        if context.screen == "sync":
            at_work = self.presenters.work.state.target is not None
            context.go_to("sign_in" if context.user is None else "work" if at_work else "home")
        elif context.screen == "work":
            self.presenters.work.leave()

    def _sign_out(self) -> None:
        if self.presenters.work.state.target is not None:
            self.presenters.work.leave(stay=True)
        self.presenters.session.sign_out()

    def _start_work(self, home: HomeState) -> None:
        self.presenters.work.enter(home, self._source_maker(home.source))

    def _source_maker(self, spec: str) -> Callable[[], ImageSource]:
        given = self._given_source

        def make() -> ImageSource:
            if given is not None:
                return given
            from inspection.sources import make_source
            from inspection.sources.triggers import TriggeredSource, TriggerMode

            # A camera set to software trigger shows nothing unless it is asked.
            return TriggeredSource(make_source(spec), TriggerMode.FREE)

        return make

    def _show_user(self, user: SignedInUser | None) -> None:
        if user is not None and user.language in {"en", "ja"} and self._workspace.settings.language is None:
            self.set_language(choose_language(user.language))

    def _show_sync(self, status: SyncStatus) -> None:
        self.presenters.enrolment.follow(status)
        self.window.top_bar.chip.show_status(status, enrolled=self._workspace.enrolled)

    def _language_changed(self, language: str) -> None:
        self.window.banner.set_language(language)
        self._sync_screen.set_language(language)
        self._work_screen.evidence.set_language(language)
        self._work_screen.reasons.set_language(language)

    def _choose_language(self) -> None:
        self.language.toggle()
        self._remember(language=self.language.language)

    def _choose_theme(self) -> None:
        self.set_theme("dark" if self.theme_name == "light" else "light")
        self._remember(theme=self.theme_name)

    def _remember(self, **changes: object) -> None:
        from app.station.settings import save_settings
        from app.window.presenting.running import Lane

        store = self._workspace.store
        self.workers.run(
            lambda _: save_settings(store, **changes),
            lane=Lane.DATABASE,
            on_success=lambda _: None,
            on_failure=self.presenters.session.trouble("settings"),
        )


def build_station(
    workspace: Workspace,
    *,
    source: ImageSource | None = None,
    source_spec: str = "",
    language: Language | None = None,
    theme: ThemeName | None = None,
) -> Station:
    """Return the station on ``workspace``, its window not shown yet; see ``Station``."""
    prepare_application()
    return Station(workspace, source=source, source_spec=source_spec, language=language, theme=theme)
