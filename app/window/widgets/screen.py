"""Base of all screens."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QWidget

from app.window.look.style_context import StyleContext
from app.window.widgets.actions import FeatureActions
from app.window.widgets.styled_widget import StyledWidget


class Screen(StyledWidget):
    """A page of the window.

    Attributes:
        feature_actions: what can be done on it, with the keys that do it.
        takes_scans: a hand scanner's code is separated from typing while this screen is shown.

    Signals:
        heading_changed: ``heading`` returns something else now.
    """

    heading_changed = Signal()
    takes_scans = False

    def __init__(self, style: StyleContext, actions: FeatureActions, parent: QWidget | None = None) -> None:
        super().__init__(style, parent)
        self.setObjectName("screen")
        self.feature_actions = actions
        actions.setParent(self)

    def title(self) -> str:
        """Return the name of the screen, for the navigation list and its button."""
        raise NotImplementedError

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return self.title(), ""

    def entered(self) -> None:
        """Put the focus where work begins; called whenever the screen is shown."""
        self.setFocus()

    def leave_field(self) -> None:
        """Take the focus out of a text field, so that plain keys are actions again."""
        self.setFocus()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the language; the actions go first, since a screen may put more into their texts."""
        if event.type() == QEvent.Type.LanguageChange:
            self.feature_actions.retranslate()
        super().changeEvent(event)
