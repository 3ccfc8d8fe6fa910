"""A person at the keys of the demo's window: captures, looks, agrees with Enter; run as a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.demo.parts import given_parts
from app.demo.practice_store import PracticeStore
from app.demo.report import write_report
from app.demo.scenario import Scenario
from app.demo.windowed import WindowedDemo, without_screen
from app.window.shell.application import prepare_application
from app.window.shell.station import Station, build_station
from app.window.work.presenter import WorkPresenter
from app.window.work.state import Phase

KEYS = {Phase.SCAN: Qt.Key.Key_Space, Phase.DECIDE: Qt.Key.Key_Return, Phase.REASON: Qt.Key.Key_Return}

PRESS_EVERY_MS = 150
"""Slower than a hand scanner, which is distinguished from a person by its speed."""


def press(station: Station) -> None:
    """Press the key that a person would press now."""
    state = station.presenter(WorkPresenter).state
    if station.context.screen == "work" and (state.has_frame or state.phase is not Phase.SCAN):
        key = KEYS.get(state.phase)
        if key is not None:
            QTest.keyClick(QApplication.focusWidget() or station.window, key)


def main(store: Path, out: Path, good: Path, test: Path) -> int:
    """Work through all parts; 0 when station and server agree in the end."""
    out.mkdir()
    practice = PracticeStore(store)
    practice.open()
    scenario = Scenario(practice, given_parts(good, test, limit=None), out, lambda sentence: None)
    try:
        scenario.set_up_server()
        application = prepare_application()
        without_screen()
        station = build_station(scenario.open_station(), source=scenario.parts.source(), language="ja")
        fingers = QTimer()
        fingers.timeout.connect(lambda: press(station))
        fingers.start(PRESS_EVERY_MS)
        WindowedDemo(scenario, application, station, scripted=False).run()
        fingers.stop()
        report = scenario.report()
    finally:
        scenario.close()
        practice.close()
    write_report(report, out)
    return 0 if report["agrees"] and report["finished"] else 1


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:])))
