"""Sends the keys of the work screen where they belong: to an action, to a text field, or to the part code.

A hand scanner types like a keyboard. Keys are held back for the 60 ms in which a scanner would send the next one; then
it is clear who typed, and a lone ``O`` overrules while ``O123`` with Enter is a code, wherever the focus is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from app.window.presenting.wedge_scanner import KEY_GAP_S, Scanned, Typed, WedgeScanner

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class KeyRouter(QObject):
    """Watches the keys of one window while it is active.

    Args:
        window: the window whose keys are watched.
        actions: by key, a character (lower case), ``"Enter"`` or ``"Esc"``: of those the first enabled is triggered.
        leave_field: takes the focus out of a text field, so that keys are actions again.
        on_scan: gets the code of a scan.
    """

    def __init__(
        self,
        window: QWidget,
        actions: Mapping[str, Sequence[QAction]],
        on_scan: Callable[[str], object],
        leave_field: Callable[[], object],
    ) -> None:
        super().__init__(window)
        self.active = False
        self._window = window
        self._actions = actions
        self._on_scan = on_scan
        self._leave_field = leave_field
        self._scanner = WedgeScanner()
        self._replaying = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(int(KEY_GAP_S * 1000))
        self._timer.timeout.connect(self._give_up)
        self._application = QCoreApplication.instance()
        if self._application is not None:
            self._application.installEventFilter(self)

    def close(self) -> None:
        """Stop watching."""
        self._timer.stop()
        if self._application is not None:
            self._application.removeEventFilter(self)
            self._application = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take the keys that may be a scan or an action; everything else goes its usual way."""
        if not self.active or self._replaying or event.type() is not QEvent.Type.KeyPress:
            return False
        if not isinstance(event, QKeyEvent) or not self._belongs_here(watched):
            return False
        return self._take(event)

    def _belongs_here(self, watched: QObject) -> bool:
        """Whether the event is on its way to a widget of the window (each parent sees it again)."""
        focus = QApplication.focusWidget() or self._window
        return watched is focus and isinstance(watched, QWidget) and watched.window() is self._window

    def _take(self, event: QKeyEvent) -> bool:
        held = event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
        )
        if held:
            return False
        if event.key() in _ENTER:
            if not event.isAutoRepeat():
                self._timer.stop()
                self._tell(self._scanner.enter(time.monotonic()))
            return True
        if event.key() == Qt.Key.Key_Escape:
            if isinstance(QApplication.focusWidget(), QLineEdit):
                self._leave_field()
                return True
            return self._trigger("Esc")
        text = event.text()
        if not text or not text.isprintable():
            return False
        if not event.isAutoRepeat():
            released = self._scanner.key(text, time.monotonic())
            if released is not None:
                self._tell(released)
            self._timer.start()
        return True

    def _give_up(self) -> None:
        typed = self._scanner.flush()
        if typed is not None:
            self._tell(typed)

    def _tell(self, happened: Scanned | Typed) -> None:
        if isinstance(happened, Scanned):
            self._on_scan(happened.code)
            return
        focus = QApplication.focusWidget()
        if isinstance(focus, QLineEdit) and not focus.isReadOnly():
            self._replay(focus, happened)
            return
        # More than one key at scanner speed without its Enter is a broken scan: nothing may be decided by it.
        if len(happened.keys) == 1:
            self._press(focus, happened.keys)
        if happened.enter and not happened.keys:
            self._trigger("Enter")

    def _press(self, focus: QWidget | None, key: str) -> None:
        # Buttons take the focus by the Tab key alone; then Space presses the one that was chosen, as everywhere.
        if key == " " and isinstance(focus, QAbstractButton):
            focus.click()
        else:
            self._trigger(key.lower())

    def _trigger(self, key: str) -> bool:
        action = next((action for action in self._actions.get(key, ()) if action.isEnabled()), None)
        if action is not None:
            action.trigger()
        return action is not None

    def _replay(self, field: QLineEdit, typed: Typed) -> None:
        """Give a person's keys to the field that they were meant for."""
        self._replaying = True
        try:
            for character in typed.keys:
                QApplication.sendEvent(
                    field, QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, character)
                )
            if typed.enter:
                QApplication.sendEvent(
                    field, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r")
                )
        finally:
            self._replaying = False
