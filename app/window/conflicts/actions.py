"""Actions of the screen of conflicts."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions


class ConflictsActions(FeatureActions):
    """Set the value that lost again, leave the one that was kept, show decided ones, go back."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.take_mine = self.plain("m")
        self.keep_theirs = self.plain("k")
        self.show_seen = self.plain("v")
        self.leave = self.plain("Esc")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.take_mine.setText(self.tr("Take mine again"))
        self.keep_theirs.setText(self.tr("Keep theirs"))
        self.show_seen.setText(self.tr("Show decided ones"))
        self.leave.setText(self.tr("Close"))
        super().retranslate()
