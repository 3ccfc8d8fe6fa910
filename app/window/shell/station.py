"""Assembles the station's window from its features; it knows none of them by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QBuffer, QCoreApplication, QEvent, QIODevice, QLocale, QTimer
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication

from app.window.feature import Feature
from app.window.features import load_features
from app.window.look.language import LanguageSwitch
from app.window.look.style_context import StyleContext
from app.window.look.theme import THEMES, Sizes, ThemeName
from app.window.look.theme_switch import ThemeSwitch
from app.window.presenting.context import StationContext
from app.window.presenting.presenter import Presenter
from app.window.presenting.recovery_notices import add_recovery_notices
from app.window.shell.actions import ShellActions
from app.window.shell.application import prepare_application
from app.window.shell.main_window import StationWindow
from app.window.workers import Workers
from models.messages import Language, choose_language
from models.storage import make_folder, write_atomically

if TYPE_CHECKING:
    from app.station.operations.users import SignedInUser
    from app.station.workspace import Workspace
    from app.window.link_cost import LinkCost
    from inspection.sources import ImageSource

POLL_INTERVAL_MS = 2_000

P = TypeVar("P", bound=Presenter)


class Station:
    """A running station: window, presenters and workers together.

    Args:
        workspace: the open store; the caller closes it after the station.
        source: an image source that is not opened yet, instead of one chosen at home.
        source_spec: image source specification, instead of the one in the settings.
        language: kept whoever signs in; None takes that of the settings, else that of the user, before sign-in that of
            the system.
        theme: None takes that of the settings.
        features: None takes those of ``app.window.features``.

    Attributes:
        context: shared by the presenters: who is signed in, the screen, notices.
        actions: of every screen.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        source: ImageSource | None = None,
        source_spec: str = "",
        language: Language | None = None,
        theme: ThemeName | None = None,
        features: Sequence[Feature[Any]] | None = None,
    ) -> None:
        self.workers = Workers()
        self._workspace = workspace
        self._closed = False
        self._is_language_given = language is not None
        self._link_cost: LinkCost | None = None
        self._features = load_features() if features is None else tuple(features)
        self.context = StationContext(workspace, self.workers, source_spec=source_spec)
        self._presenters: dict[str, Presenter] = {}
        for feature in self._features:
            presenter = feature.make_presenter(self.context)
            self._presenters[feature.name] = presenter
            self.context.register(feature.name, presenter, needs_user=feature.needs_user)
        screen = QGuiApplication.primaryScreen()
        theme = theme or workspace.settings.theme
        self.style = StyleContext(THEMES[theme], Sizes.of_screen(screen.physicalDotsPerInch()))
        self.actions = ShellActions()
        self.window = self._make_window()
        self.window.sized_for(screen.availableSize().width(), screen.availableSize().height())
        self.language = LanguageSwitch(self.workers)
        self.theme = ThemeSwitch(prepare_application(), self.window, self.style)
        self._connect()
        self._timer = QTimer(self.workers)
        self._timer.setInterval(POLL_INTERVAL_MS)
        self._timer.timeout.connect(self._poll)
        self.theme.show(theme)
        self._show_language(language or workspace.language or choose_language(QLocale.system().name()))
        if source is not None:
            self.set_source(source)
        self.context.go_to_start()
        add_recovery_notices(self.context.notices, workspace.recovery)
        self._timer.start()
        self._poll()

    def start(self) -> None:
        """Let the features begin what runs by itself; call when the window is shown."""
        self._follow_link()
        for presenter in self._presenters.values():
            presenter.begin()

    def presenter(self, kind: type[P]) -> P:
        """Return the presenter of class ``kind``.

        Raises:
            LookupError: when no feature has one.
        """
        for presenter in self._presenters.values():
            if isinstance(presenter, kind):
                return presenter
        raise LookupError(f"no feature has a {kind.__name__}")

    def show_screen(self, name: str) -> None:
        """Show the screen called ``name``."""
        self.context.go_to(name)

    def set_source(self, source: ImageSource) -> None:
        """Read images from ``source``, not opened yet, instead of what is chosen at home."""
        self.context.sources.give(source)

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
        shown = self.context.screen
        paths = []
        for feature in self._features:
            self.show_screen(feature.name)
            QApplication.processEvents()
            paths.append(self.grab_screen(folder / "-".join(filter(None, (prefix, f"{feature.name}.png")))))
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
        if self._link_cost is not None:
            self._link_cost.close()
        for presenter in self._presenters.values():
            presenter.close()
        self.workers.close()
        self.window.router.close()
        self.language.remove()
        self.window.close()
        self.window.deleteLater()
        self.workers.deleteLater()

    def _make_window(self) -> StationWindow:
        screens, openers, statuses = {}, {}, []
        for feature in self._features:
            presenter = self._presenters[feature.name]
            screens[feature.name] = feature.make_screen(presenter, self.style)
            if feature.function_key:
                openers[feature.name] = self._opener(feature)
                if feature.make_status is not None:
                    statuses.append(feature.make_status(presenter, openers[feature.name], self.style))
        return StationWindow(
            self.context, self.style, self.actions, screens=screens, openers=openers, statuses=statuses
        )

    def _opener(self, feature: Feature[Any]) -> QAction:
        action = self.actions.function_key(feature.function_key)
        action.triggered.connect(lambda: self.show_screen(feature.name))
        return action

    def _connect(self) -> None:
        self.actions.language.triggered.connect(self._choose_language)
        self.actions.theme.triggered.connect(self._choose_theme)
        self.actions.sign_out.triggered.connect(self.context.sign_out)
        self.context.user_changed.connect(self._follow_user)
        self.window.closing.connect(self.close)

    def _follow_link(self) -> None:
        """Let passes know what the system says of the link; the window is shown without the module for it."""
        from app.window.link_cost import LinkCost

        self._link_cost = cost = LinkCost(self._link_changed)
        self._workspace.system_says_metered = lambda: cost.metered

    def _link_changed(self, metered: bool) -> None:
        """Send what waited once the link is free again."""
        if not metered and self._workspace.engine is not None:
            self._workspace.engine.request()

    def _poll(self) -> None:
        for presenter in self._presenters.values():
            presenter.poll()

    def _follow_user(self, user: SignedInUser | None) -> None:
        if self._is_language_given or self._workspace.language is not None:
            return
        if user is not None and user.language in {"en", "ja"}:
            self._show_language(choose_language(user.language))

    def _show_language(self, language: Language) -> None:
        self.language.show(language)
        # What the server says is shown too.
        self._workspace.text_language = language

    def _choose_language(self) -> None:
        self._show_language(self.language.next)
        self.context.save_settings(language=self.language.language)

    def _choose_theme(self) -> None:
        self.theme.toggle()
        self.context.save_settings(theme=self.theme.name)


def build_station(
    workspace: Workspace,
    *,
    source: ImageSource | None = None,
    source_spec: str = "",
    language: Language | None = None,
    theme: ThemeName | None = None,
    features: Sequence[Feature[Any]] | None = None,
) -> Station:
    """Return the station on ``workspace``, its window not shown yet; see ``Station``."""
    prepare_application()
    return Station(workspace, source=source, source_spec=source_spec, language=language, theme=theme, features=features)
