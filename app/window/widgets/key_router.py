"""Routes the keys of the shown screen: to an action, to a text field, or as a scanned code.

A hand scanner types like a keyboard. Keys are held back for the 60 ms in which a scanner would send the next one; then
it is clear who typed, and a lone ``O`` overrules while ``O123`` with Enter is a code, wherever the focus is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from app.window.presenting.wedge_scanner import KEY_GAP_S, LEAST_LENGTH, Scanned, Typed, WedgeScanner
from app.window.widgets.actions import OPENS_FIELD

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class KeyRouter(QObject):
    """Routes the keys of one window by the screen that is shown.

    Args:
        window: the window whose keys are routed.
        on_scan: called with the code of a scan.
    """

    def __init__(self, window: QWidget, on_scan: Callable[[str], object]) -> None:
        super().__init__(window)
        self._window = window
        self._on_scan = on_scan
        self._actions: Mapping[str, Sequence[QAction]] = {}
        self._leave_field: Callable[[], object] = window.setFocus
        self._takes_scans = False
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

    def use(
        self, actions: Mapping[str, Sequence[QAction]], *, takes_scans: bool, leave_field: Callable[[], object]
    ) -> None:
        """Route keys for another screen.

        Args:
            actions: by key, a character (lower case), ``"Enter"`` or ``"Esc"``: the first enabled one is triggered.
            takes_scans: separate scans from typing in text fields too; else a field gets every key at once.
            leave_field: takes the focus out of a text field, so that keys are actions again.
        """
        # A key that is held back belonged to the screen before.
        self._timer.stop()
        self._scanner.flush()
        self._actions, self._takes_scans, self._leave_field = actions, takes_scans, leave_field

    def close(self) -> None:
        """Stop routing."""
        self._timer.stop()
        if self._application is not None:
            self._application.removeEventFilter(self)
            self._application = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Take the keys that may be a scan or an action; everything else is left to Qt."""
        if self._replaying or event.type() is not QEvent.Type.KeyPress:
            return False
        if not (self._actions or self._takes_scans):
            return False
        return isinstance(event, QKeyEvent) and self._belongs_here(watched) and self._take(event)

    def _belongs_here(self, watched: QObject) -> bool:
        """Whether the event is on its way to a widget of the window (each parent sees it again)."""
        focus = QApplication.focusWidget() or self._window
        return watched is focus and isinstance(watched, QWidget) and watched.window() is self._window

    def _take(self, event: QKeyEvent) -> bool:
        held = event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
        )
        typing = _text_field() is not None and not self._takes_scans
        if held or (typing and event.key() != Qt.Key.Key_Escape):
            return False
        if event.key() in _ENTER:
            if not event.isAutoRepeat():
                self._timer.stop()
                self._handle(self._scanner.enter(_seconds(event)))
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
            released = self._scanner.key(text, _seconds(event))
            if released is not None:
                self._handle(released)
            self._timer.start()
        return True

    def _give_up(self) -> None:
        typed = self._scanner.flush()
        if typed is not None:
            self._handle(typed)

    def _handle(self, happened: Scanned | Typed) -> None:
        if isinstance(happened, Scanned):
            self._on_scan(happened.code)
            return
        field, focus = _text_field(), QApplication.focusWidget()
        if field is not None:
            self._replay(field, happened)
            return
        # More than one key at scanner speed without its Enter is a broken scan: nothing may be decided by it. Two keys
        # are none yet: after one that opens a field the other is a quick person's text.
        if len(happened.keys) == 1:
            self._press(focus, happened)
        elif 1 < len(happened.keys) < LEAST_LENGTH and self._opens_field(happened.keys[0]):
            self._press(focus, Typed(happened.keys[0]))
            opened = _text_field()
            if opened is not None:
                self._replay(opened, Typed(happened.keys[1:], happened.enter))
        if happened.enter and not happened.keys:
            self._press_enter(focus)

    def _press(self, focus: QWidget | None, typed: Typed) -> None:
        key = typed.keys.lower()
        # Buttons take the focus by the Tab key alone; then Space presses the one that was chosen, as everywhere.
        if key == " " and isinstance(focus, QAbstractButton):
            focus.click()
        elif key in self._actions:
            self._trigger(key)
        elif focus is not None:
            self._replay(focus, Typed(typed.keys))

    def _press_enter(self, focus: QWidget | None) -> None:
        if "Enter" in self._actions:
            self._trigger("Enter")
        elif isinstance(focus, QAbstractButton):
            focus.click()
        elif focus is not None:
            self._replay(focus, Typed("", enter=True))

    def _opens_field(self, key: str) -> bool:
        action = self._enabled(key.lower())
        return action is not None and bool(action.property(OPENS_FIELD))

    def _enabled(self, key: str) -> QAction | None:
        return next((action for action in self._actions.get(key, ()) if action.isEnabled()), None)

    def _trigger(self, key: str) -> bool:
        action = self._enabled(key)
        if action is not None:
            action.trigger()
        return action is not None

    def _replay(self, target: QWidget, typed: Typed) -> None:
        """Send a person's keys to the widget that they were meant for."""
        self._replaying = True
        try:
            for character in typed.keys:
                QApplication.sendEvent(
                    target, QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, character)
                )
            if typed.enter:
                QApplication.sendEvent(
                    target, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r")
                )
        finally:
            self._replaying = False


def _seconds(event: QKeyEvent) -> float:
    """Return when the key was pressed: keys that waited for a busy window arrive at once, as a scanner's would."""
    stamp = event.timestamp()
    return stamp / 1000 if stamp else time.monotonic()


def _text_field() -> QLineEdit | None:
    """Return the text field that has the focus and can be typed into."""
    focus = QApplication.focusWidget()
    return focus if isinstance(focus, QLineEdit) and not focus.isReadOnly() else None
