"""The actions that every screen has; their function keys and those of the features are at most five together."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from app.window.widgets.actions import FeatureActions


class ShellActions(FeatureActions):
    """Navigation, language, theme and sign-out."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.navigation = self.function_key("F1")
        self.language = self.function_key("F2")
        self.theme = self.function_key("F3")
        self.sign_out = self.function_key("F10")
        self.retranslate()

    def in_top_bar(self) -> tuple[QAction, ...]:
        """Return the actions with a button in the bar at the top, from left to right."""
        return self.navigation, self.language, self.theme, self.sign_out

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.navigation.setText(self.tr("Screens"))
        # The button shows the language it leads to, in that language: whoever needs it can read it.
        self.language.setText(self.tr("日本語", "the other language, in its own script"))
        self.theme.setText(self.tr("Light / dark"))
        self.sign_out.setText(self.tr("Sign out"))
        super().retranslate()
