"""Actions of the enrolment screen."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions


class EnrolmentActions(FeatureActions):
    """Confirm the form, whose step gives the text, or leave for sign-in without a server."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.confirm = self.plain("Enter")
        self.later = self.plain("Esc")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.later.setText(self.tr("Later"))
        super().retranslate()
