"""Actions of the home screen."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions


class HomeActions(FeatureActions):
    """Choose images, train, and begin to inspect."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.start = self.plain("s")
        self.train = self.plain("t")
        self.cancel_training = self.plain("x")
        self.choose_source = self.plain("f")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.start.setText(self.tr("Start inspecting"))
        self.train.setText(self.tr("Train the model…"))
        self.cancel_training.setText(self.tr("Cancel training"))
        self.choose_source.setText(self.tr("Choose folder…"))
        super().retranslate()
