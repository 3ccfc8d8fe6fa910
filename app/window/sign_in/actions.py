"""Actions of the sign-in screen."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions


class SignInActions(FeatureActions):
    """Sign in; Enter does it from the password's field too."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sign_in = self.plain("Enter")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.sign_in.setText(self.tr("Sign in"))
        super().retranslate()
