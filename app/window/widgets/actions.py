"""Base of a feature's actions: each has one key and a text; buttons, keys and the demo trigger these."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

OPENS_FIELD = "opens_field"
"""Property of an action that puts the focus into a text field."""


class FeatureActions(QObject):
    """The actions of one feature; a subclass creates them and sets their texts in ``retranslate``.

    A plain key (``plain``) counts while the feature's screen is shown and no text field has the focus; the key router
    separates it from a scanner's keys. A function key (``function_key``) counts on every screen, by Qt's shortcuts;
    there are at most five in the whole window.
    """

    def retranslate(self) -> None:
        """Set every text in the language that is shown now."""
        for action in self.findChildren(QAction):
            key = action.data()
            if isinstance(key, str):
                action.setProperty("key", key_name(key))
                action.changed.emit()

    def by_key(self) -> dict[str, list[QAction]]:
        """Return the plain keys, each with its actions in order; the first enabled one is triggered."""
        keyed: dict[str, list[QAction]] = {}
        for action in self.findChildren(QAction):
            if isinstance(action.data(), str):
                keyed.setdefault(action.data(), []).append(action)
        return keyed

    def plain(self, key: str, *, opens_field: bool = False) -> QAction:
        """Return an action for a plain key: a lower-case character, ``"Enter"`` or ``"Esc"``.

        Args:
            key: the key.
            opens_field: the action puts the focus into a text field, so that a key right after it is text.
        """
        action = QAction(self)
        action.setProperty(OPENS_FIELD, opens_field)
        action.setData(key)
        action.setProperty("key", key_name(key))
        return action

    def function_key(self, key: str) -> QAction:
        """Return an action for a function key such as ``"F2"``; the window must add it."""
        action = QAction(self)
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        return action


def key_name(key: str) -> str:
    """Return how a plain key is written on a keyboard."""
    names = {
        " ": QCoreApplication.translate("Key", "Space"),
        "Enter": QCoreApplication.translate("Key", "Enter"),
        "Esc": QCoreApplication.translate("Key", "Esc"),
    }
    return names.get(key) or key.upper()
