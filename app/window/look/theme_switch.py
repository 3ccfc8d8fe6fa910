"""Switches the theme of a window at run time; widgets follow by Qt's change events."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget

from app.window.look.style_context import StyleContext
from app.window.look.style_sheet import palette, style_sheet
from app.window.look.theme import THEMES, ThemeName


class ThemeSwitch:
    """Puts one window into a theme.

    Args:
        application: gets the palette.
        window: gets the style sheet.
        style: gets the colours, before any change event is sent.
    """

    def __init__(self, application: QApplication, window: QWidget, style: StyleContext) -> None:
        self._application = application
        self._window = window
        self._style = style

    @property
    def name(self) -> ThemeName:
        """Name of the theme that is shown."""
        return self._style.theme.name

    def show(self, name: ThemeName) -> None:
        """Use the theme called ``name``."""
        self._style.theme = THEMES[name]
        self._application.setPalette(palette(self._style.theme))
        self._window.setStyleSheet(style_sheet(self._style.theme, self._style.sizes))

    def toggle(self) -> None:
        """Switch between light and dark."""
        self.show("dark" if self.name == "light" else "light")
