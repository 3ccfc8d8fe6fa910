"""The main window: the bar at the top, the banner beneath it, and one screen at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import QLayout, QMainWindow, QStackedWidget, QStyle, QVBoxLayout, QWidget

from app.station.settings import SETTINGS_FILE
from app.window.look.style_context import StyleContext
from app.window.presenting.context import StationContext
from app.window.presenting.event import Event
from app.window.presenting.messages import CodeScanned
from app.window.shell.actions import ShellActions
from app.window.shell.navigation import NavigationScreen
from app.window.shell.top_bar import TopBar
from app.window.widgets.banner import Banner
from app.window.widgets.key_router import KeyRouter
from app.window.widgets.screen import Screen

# At twice the usual scaling a station's display still has this many device-independent pixels.
LEAST_WIDTH = 1024
LEAST_HEIGHT = 700


class StationWindow(QMainWindow):
    """Shows the screens; what they do is the presenters' business.

    Args:
        context: of the window.
        style: of the window.
        actions: of every screen.
        screens: by name.
        openers: the actions that open a screen by a function key, by the screen's name.
        statuses: widgets for the bar at the top.

    Attributes:
        navigation: lists the screens that can be reached, in place of the screen.
        banner: shows notices on every screen.
        closing: the window is about to close.
    """

    def __init__(
        self,
        context: StationContext,
        style: StyleContext,
        actions: ShellActions,
        *,
        screens: Mapping[str, Screen],
        openers: Mapping[str, QAction],
        statuses: Sequence[QWidget],
    ) -> None:
        super().__init__()
        self._context = context
        self._actions = actions
        self._openers = openers
        actions.setParent(self)
        self.setObjectName("window")
        self.setWindowTitle("ImageFlow Station")
        self.screens = screens
        self.closing: Event[()] = Event()
        self.top_bar = TopBar(actions, style, statuses)
        self.banner = Banner(context.notices, style, context.workspace.store / SETTINGS_FILE)
        self.navigation = NavigationScreen(style, lambda name: screens[name].title())
        self.stack = QStackedWidget()
        self.router = KeyRouter(self, on_scan=lambda code: context.publish(CodeScanned(code)))
        self._lay_out()
        for action in (*actions.in_top_bar(), *openers.values()):
            self.addAction(action)
        for screen in screens.values():
            screen.heading_changed.connect(self.update_heading)
        self.navigation.chosen.connect(context.go_to)
        self.navigation.closed.connect(self.close_navigation)
        actions.navigation.triggered.connect(self.toggle_navigation)
        context.screen_changed.connect(self._show_screen)
        self._retranslate()

    @property
    def shown_screen(self) -> Screen:
        """The screen that is shown, or the navigation list."""
        shown = self.stack.currentWidget()
        return shown if isinstance(shown, Screen) else self.navigation

    def toggle_navigation(self) -> None:
        """Open the navigation list, or close it."""
        if self.shown_screen is self.navigation:
            self.close_navigation()
            return
        self.navigation.show_screens(self._context.reachable_screens(), self._context.screen)
        self._show(self.navigation)

    def close_navigation(self) -> None:
        """Show the screen again that the navigation list has taken the place of."""
        self._show_screen(self._context.screen)

    def update_heading(self) -> None:
        """Show the name of the screen and of the user."""
        title, subtitle = self.shown_screen.heading()
        user = self._context.user
        who = (user.display_name or user.username) if user is not None else ""
        if user is not None and not user.online:
            who = self.tr("{name} (signed in offline)").format(name=who)
        self.top_bar.show_title(title, subtitle, who)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the language; the screens receive the event after the window."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Let everything that runs end before the window closes."""
        self.closing.emit()
        event.accept()

    def sized_for(self, width: int, height: int) -> None:
        """Fit the window, its frame included, into a display of this many device-independent pixels."""
        # The real frame is known only once the window is shown; the style's own title bar is about as high.
        style = self.style()
        frame = style.pixelMetric(QStyle.PixelMetric.PM_MdiSubWindowFrameWidth)
        title_bar = style.pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
        width, height = width - 2 * frame, height - title_bar - frame
        self.setMinimumSize(min(LEAST_WIDTH, width), min(LEAST_HEIGHT, height))
        self.resize(min(max(self.width(), LEAST_WIDTH), width), min(max(self.height(), LEAST_HEIGHT), height))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def _lay_out(self) -> None:
        centre = QWidget()
        centre.setObjectName("window")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addWidget(self.banner)
        column.addWidget(self.stack, 1)
        for screen in (*self.screens.values(), self.navigation):
            self.stack.addWidget(screen)
        self.setCentralWidget(centre)
        # The window's own least size counts; a long banner must not push it beyond the display.
        layout = self.layout()
        if layout is not None:
            layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.resize(1280, 800)

    def _show_screen(self, name: str) -> None:
        signed_in = self._context.user is not None
        self._actions.sign_out.setEnabled(signed_in)
        self._actions.sign_out.setVisible(signed_in)
        for opened, action in self._openers.items():
            action.setEnabled(opened != name)
        self._show(self.screens[name])

    def _show(self, screen: Screen) -> None:
        self.stack.setCurrentWidget(screen)
        self.router.use(screen.feature_actions.by_key(), takes_scans=screen.takes_scans, leave_field=screen.leave_field)
        self.update_heading()
        screen.entered()

    def _retranslate(self) -> None:
        self._actions.retranslate()
        for name, action in self._openers.items():
            action.setText(self.screens[name].title())
        if self._context.screen:
            self.update_heading()
