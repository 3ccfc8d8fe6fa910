"""Everything a person can do in the window, each with its one key; buttons, keys and the demo trigger these."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence


class StationActions(QObject):
    """The actions of the window.

    Those with a function key work on every screen by Qt's shortcuts. Those of the work screen have plain keys, which
    the key router tells from a scanner's.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.language = self._global("F2")
        self.theme = self._global("F3")
        self.sync = self._global("F4")
        self.sign_out = self._global("F10")
        self.start = self._global("F5")
        self.train = self._global("F6")
        self.cancel_training = self._global("F7")
        self.choose_source = self._global("F8")
        self.sync_now = self._global("F9")
        self.enrolment = self._global("F11")
        self.home = self._keyed("Esc")
        self.capture = self._keyed(" ")
        self.agree = self._keyed("Enter")
        self.overrule = self._keyed("o")
        self.hold = self._keyed("h")
        self.next_part = self._keyed("n")
        self.comment = self._keyed("c")
        self.back = self._keyed("Esc")
        self.part_code = self._keyed("p")
        self.retranslate()

    def retranslate(self) -> None:
        """Take the texts of the language that is shown now."""
        # The button shows the language it leads to, in that language: whoever needs it can read it.
        self.language.setText(self.tr("日本語", "the other language, in its own script"))
        self.theme.setText(self.tr("Light / dark"))
        self.sync.setText(self.tr("Synchronisation"))
        self.sign_out.setText(self.tr("Sign out"))
        self.start.setText(self.tr("Start inspecting"))
        self.train.setText(self.tr("Train the model…"))
        self.cancel_training.setText(self.tr("Cancel training"))
        self.choose_source.setText(self.tr("Choose folder…"))
        self.sync_now.setText(self.tr("Synchronise now"))
        self.enrolment.setText(self.tr("Set up station"))
        self.home.setText(self.tr("Home"))
        self.capture.setText(self.tr("Capture"))
        self.agree.setText(self.tr("Agree"))
        self.overrule.setText(self.tr("Overrule"))
        self.hold.setText(self.tr("Hold"))
        self.next_part.setText(self.tr("Next part"))
        self.comment.setText(self.tr("Comment"))
        self.back.setText(self.tr("Back"))
        self.part_code.setText(self.tr("Type code"))
        self.capture.setProperty("key", self.tr("Space", "key"))
        self.agree.setProperty("key", self.tr("Enter", "key"))
        self.home.setProperty("key", self.tr("Esc", "key"))
        self.back.setProperty("key", self.tr("Esc", "key"))
        for action in (self.capture, self.agree, self.home, self.back):
            action.changed.emit()

    def by_key(self) -> dict[str, list[QAction]]:
        """Return the actions of the work screen by the key that triggers the first enabled one of them."""
        keyed: dict[str, list[QAction]] = {}
        for action in self.findChildren(QAction):
            if isinstance(action.data(), str):
                keyed.setdefault(action.data(), []).append(action)
        return keyed

    def numbered(self, number: int, on_trigger: Callable[[], object]) -> QAction:
        """Return an action for the key ``1`` to ``9``."""
        action = self._keyed(str(number))
        action.triggered.connect(on_trigger)
        return action

    def _global(self, key: str) -> QAction:
        action = QAction(self)
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        return action

    def _keyed(self, key: str) -> QAction:
        action = QAction(self)
        action.setData(key)
        action.setProperty("key", key.upper())
        return action
