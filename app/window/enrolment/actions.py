"""Actions of the enrolment screen."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions


class EnrolmentActions(FeatureActions):
    """Confirm, take the second choice, or leave; the step that is shown gives the texts."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.confirm = self.plain("Enter")
        self.later = self.plain("Esc")
        self.anew = self.plain("n")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        super().retranslate()
