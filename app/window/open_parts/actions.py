"""Actions of the screen of open parts."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions


class OpenPartsActions(FeatureActions):
    """Go on with a part, cancel it, or put it off."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.resume = self.plain("Enter")
        self.cancel = self.plain("d")
        self.later = self.plain("Esc")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.resume.setText(self.tr("Go on with this part"))
        self.cancel.setText(self.tr("Discard this part"))
        self.later.setText(self.tr("Later"))
        super().retranslate()
