"""What the binding to Qt must not do; releases of it have."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

CALLS = 1000


def test_calls_into_qt_do_not_use_up_the_references_of_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 does, on Python before 3.12: the window would end with an abort after some thousand calls."""
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        thing.setObjectName("name")
    assert sys.getrefcount(None) - before > -CALLS // 10
