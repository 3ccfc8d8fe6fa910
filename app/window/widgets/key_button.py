"""A large button that does one action and shows the key that does it too."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget


class KeyButton(QPushButton):
    """Shows an action: its text, and beside it the key as it is written on a keyboard.

    Attributes:
        action_shown: the action; its text, state and accessible name are followed.
    """

    def __init__(self, action: QAction, *, primary: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.action_shown = action
        self._caption = QLabel()
        self._caption.setProperty("role", "caption")
        self._key = QLabel()
        self._key.setProperty("role", "key")
        self.setProperty("primary", primary)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 10, 0)
        row.setSpacing(8)
        row.addStretch(1)
        for label in (self._caption, self._key):
            label.setProperty("primary", primary)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            row.addWidget(label, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)
        self._follow()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for both labels, at least as wide as the height that the style sheet demands."""
        height = max(super().sizeHint().height(), self._row.sizeHint().height())
        return QSize(max(height, self._row.sizeHint().width()), height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same: a touch target does not shrink."""
        return self.sizeHint()

    def _follow(self) -> None:
        action = self.action_shown
        self._caption.setText(action.text())
        self._key.setText(key_text(action))
        self._key.setVisible(bool(self._key.text()))
        self.setAccessibleName(action.text())
        self.setAccessibleDescription(key_text(action))
        self.setEnabled(action.isEnabled())
        self.setVisible(action.isVisible())
        self._row.invalidate()
        self.updateGeometry()


def key_text(action: QAction) -> str:
    """Return the key of ``action`` as it is written on a keyboard; empty when it has none."""
    shown = action.property("key")
    if isinstance(shown, str):
        return shown
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
