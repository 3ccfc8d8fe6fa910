"""The navigation list: every screen that can be reached now, each with a digit; it takes the place of the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.window.look.style_context import StyleContext
from app.window.widgets.actions import FeatureActions
from app.window.widgets.key_button import KeyButton
from app.window.widgets.screen import Screen

MOST_SCREENS = 9
"""As many as there are digits."""
ROWS = 4
"""Buttons one below the other that a display of 700 lines has room for, beneath a banner too."""
BUTTON_WIDTH_MM = 80


class NavigationActions(FeatureActions):
    """One action a digit, for the screen at that place, and one to close the list."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.choices = [self.plain(str(number)) for number in range(1, MOST_SCREENS + 1)]
        self.close_list = self.plain("Esc")
        self.retranslate()

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        self.close_list.setText(self.tr("Close"))
        super().retranslate()


class NavigationScreen(Screen):
    """Large buttons one below the other; a digit, the arrows with Enter, or a finger chooses.

    Signals:
        chosen: name of the screen that was chosen.
        closed: the person stays where they were.
    """

    chosen = Signal(str)
    closed = Signal()
    feature_actions: NavigationActions

    def __init__(self, style: StyleContext, title_of: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(style, NavigationActions(), parent)
        self._title_of = title_of
        self._names: Sequence[str] = ()
        self._present = ""
        actions = self.feature_actions
        self.buttons = [KeyButton(action) for action in actions.choices]
        self.close_button = KeyButton(actions.close_list)
        grid = QGridLayout()
        grid.setSpacing(style.sizes.gap)
        for place, button in enumerate(self.buttons):
            grid.addWidget(button, place % ROWS, place // ROWS)
        for button in (*self.buttons, self.close_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setMinimumWidth(style.sizes.millimetres(BUTTON_WIDTH_MM))
        column = QVBoxLayout(self)
        pad = style.sizes.millimetres(8)
        column.setContentsMargins(pad, pad, pad, pad)
        column.setSpacing(style.sizes.gap)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(grid)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        for number, action in enumerate(actions.choices):
            action.triggered.connect(partial(self._choose, number))
        actions.close_list.triggered.connect(self.closed)
        self.retranslate()

    def show_screens(self, names: Sequence[str], present: str) -> None:
        """List these screens; ``present`` has the focus."""
        self._names, self._present = names[:MOST_SCREENS], present
        self.retranslate()

    def entered(self) -> None:
        """Put the focus on the screen the person comes from."""
        place = self._names.index(self._present) if self._present in self._names else 0
        self.buttons[place].setFocus()

    def title(self) -> str:
        """Return the name of the list."""
        return self.tr("Screens")

    def heading(self) -> tuple[str, str]:
        """Return title and subtitle for the bar at the top."""
        return self.title(), self.tr("Press a digit, or choose with the arrows and Enter")

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        for number, action in enumerate(self.feature_actions.choices):
            there = number < len(self._names)
            action.setText(self._title_of(self._names[number]) if there else "")
            action.setVisible(there)
            action.setEnabled(there)

    def _choose(self, number: int) -> None:
        if number < len(self._names):
            self.chosen.emit(self._names[number])
