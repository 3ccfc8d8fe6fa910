"""Actions of the screen of refused changes."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.window.widgets.actions import FeatureActions


class DeadLettersActions(FeatureActions):
    """Mend a field, send again, give up, write to a file, go back."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.send = self.plain("s")
        self.send_all = self.plain("a")
        self.mend = self.plain("c", opens_field=True)
        self.drop = self.plain("d", opens_field=True)
        self.export = self.plain("e")
        self.leave = self.plain("Esc")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.send.setText(self.tr("Send again"))
        self.send_all.setText(self.tr("All of this cause"))
        self.mend.setText(self.tr("Change the value"))
        self.drop.setText(self.tr("Give up…"))
        self.export.setText(self.tr("Write to a file"))
        self.leave.setText(self.tr("Close"))
        super().retranslate()
