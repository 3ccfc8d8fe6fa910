"""Base of widgets that draw themselves: style by ``StyleContext``, language by Qt's change event."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QWidget

from app.window.look.style_context import StyleContext


class StyledWidget(QWidget):
    """A widget of the window; Qt repaints it when the theme changes.

    Attributes:
        style_context: colours and sizes; read them whenever they are needed.
    """

    def __init__(self, style: StyleContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.style_context = style

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
