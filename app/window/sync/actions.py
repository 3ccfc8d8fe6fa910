"""Actions of the sync page."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions


class SyncActions(FeatureActions):
    """Synchronise now, stop, show what was refused or lost, and go back to where one began."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sync_now = self.plain("s")
        self.stop = self.plain("x")
        self.refused = self.plain("r")
        self.conflicts = self.plain("c")
        self.close_page = self.plain("Esc")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.sync_now.setText(self.tr("Synchronise now"))
        self.stop.setText(self.tr("Stop exchanging"))
        self.refused.setText(self.tr("Refused changes…"))
        self.conflicts.setText(self.tr("Conflicts…"))
        self.close_page.setText(self.tr("Close"))
        super().retranslate()
