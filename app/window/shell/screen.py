"""What all screens have in common."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QWidget

from app.window.look.theme import Sizes, Theme
from app.window.shell.actions import StationActions


@dataclass(frozen=True, slots=True)
class Look:
    """How things look: the actions, the theme at the start, and the sizes of this display."""

    actions: StationActions
    theme: Theme
    sizes: Sizes


class Screen(QWidget):
    """A page of the window; a subclass sets its texts in ``retranslate`` and its colours in ``set_theme``."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look = look
        self.setObjectName("screen")

    def retranslate(self) -> None:
        """Take the texts of the language that is shown now."""

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of ``theme`` where the style sheet does not reach."""
        del theme

    def entered(self) -> None:
        """Be shown: put the focus where work begins."""

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return "", ""

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)
