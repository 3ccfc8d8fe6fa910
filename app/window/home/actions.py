"""Actions of the home screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from app.window.widgets.actions import FeatureActions

if TYPE_CHECKING:
    from inspection.anomaly.detail import DetailName


class HomeActions(FeatureActions):
    """Choose images, train, and begin to inspect."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.start = self.plain("s")
        self.train = self.plain("t")
        self.cancel_training = self.plain("x")
        self.choose_source = self.plain("f")
        self.details: dict[DetailName, QAction] = {
            "fast": self.plain("1"),
            "standard": self.plain("2"),
            "fine": self.plain("3"),
            "finest": self.plain("4"),
        }
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.start.setText(self.tr("Start inspecting"))
        self.train.setText(self.tr("Train the model…"))
        self.cancel_training.setText(self.tr("Cancel training"))
        self.choose_source.setText(self.tr("Choose folder…"))
        super().retranslate()
