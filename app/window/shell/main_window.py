"""The main window: the bar at the top, the banner beneath it, and one screen at a time."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QLayout, QMainWindow, QStackedWidget, QStyle, QVBoxLayout, QWidget

from app.window.look.theme import Theme
from app.window.presenting.context import ScreenName, StationContext
from app.window.presenting.event import Event
from app.window.shell.screen import Look, Screen
from app.window.widgets.banner import Banner
from app.window.widgets.top_bar import TopBar

# At twice the usual scaling a station's display still has this many device-independent pixels.
LEAST_WIDTH = 1024
LEAST_HEIGHT = 700


class StationWindow(QMainWindow):
    """Holds the screens; what they do is the presenters' business.

    Attributes:
        screens: by name.
        banner: tells of trouble on whatever screen is shown.
        closing: the window is about to close.
    """

    def __init__(self, context: StationContext, look: Look) -> None:
        super().__init__()
        self._context = context
        self._look = look
        self.setObjectName("window")
        self.screens: dict[str, Screen] = {}
        self.closing: Event[()] = Event()
        self.top_bar = TopBar(look.actions, look.theme, look.sizes)
        self.banner = Banner(context.notices, look.theme, look.sizes)
        self.stack = QStackedWidget()
        centre = QWidget()
        centre.setObjectName("window")
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addWidget(self.banner)
        column.addWidget(self.stack, 1)
        self.setCentralWidget(centre)
        # The window's own least size counts; a long banner must not push it beyond the display.
        layout = self.layout()
        if layout is not None:
            layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.setWindowTitle("ImageFlow Station")
        self.resize(1280, 800)
        actions = look.actions
        for action in (
            actions.language,
            actions.theme,
            actions.sync,
            actions.sign_out,
            actions.start,
            actions.train,
            actions.cancel_training,
            actions.choose_source,
            actions.sync_now,
            actions.enrolment,
        ):
            self.addAction(action)

    def add_screens(self, screens: Mapping[str, Screen]) -> None:
        """Take the screens in."""
        for name, screen in screens.items():
            self.screens[name] = screen
            self.stack.addWidget(screen)

    @property
    def shown_screen(self) -> Screen:
        """The screen that is shown."""
        return self.screens[self._context.screen]

    def show_screen(self, name: ScreenName) -> None:
        """Show the screen called ``name``."""
        screen = self.screens[name]
        self.stack.setCurrentWidget(screen)
        self.update_heading()
        screen.entered()

    def update_heading(self) -> None:
        """Say where one is and who is signed in."""
        title, subtitle = self.shown_screen.heading()
        user = self._context.user
        who = (user.display_name or user.username) if user is not None else ""
        if user is not None and not user.online:
            who = self.tr("{name} (signed in offline)").format(name=who)
        self.top_bar.show_title(title, "   ·   ".join(filter(None, (subtitle, who))))

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of ``theme`` in what is drawn."""
        self.banner.set_theme(theme)
        self.top_bar.chip.set_theme(theme)
        for screen in self.screens.values():
            screen.set_theme(theme)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the language; the actions go first, since the screens put verdicts into their texts."""
        if event.type() == QEvent.Type.LanguageChange and self.screens:
            self._look.actions.retranslate()
            for screen in self.screens.values():
                screen.retranslate()
            self.update_heading()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Let everything that runs end before the window goes."""
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
