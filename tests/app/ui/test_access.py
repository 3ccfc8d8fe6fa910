"""Gloves, keyboards and screen readers: sizes, names and order of everything that can be used."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListWidget, QSlider, QWidget

from app.presenters.context import SCREENS
from app.theme import THEMES
from models.states import HumanVerdict, Verdict
from tests.app.ui.conftest import Desk
from tests.app.ui.test_work import inspect_next

CONTROLS = (QAbstractButton, QLineEdit, QListWidget, QSlider)


def controls(desk: Desk) -> list[QWidget]:
    """Everything on the screen that a person can use."""
    return [
        widget
        for kind in CONTROLS
        for widget in desk.window.window.findChildren(kind)
        if widget.isVisible() and widget.objectName() != "qt_spinbox_lineedit"
    ]


def reason_panel(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk, Verdict.NG)
    desk.key(Qt.Key.Key_Return)


@pytest.fixture(params=[*SCREENS, "reason"])
def screen(request: pytest.FixtureRequest, desk: Desk) -> str:
    name: str = request.param
    if name == "reason":
        reason_panel(desk)
    elif name == "work":
        desk.start_work()
        inspect_next(desk)
    else:
        desk.sign_in()
        desk.window.show_screen(name)
    desk.until(lambda: desk.window.workers.is_idle)
    return name


@pytest.mark.parametrize("name", ["en", "ja"])
def test_every_control_is_at_least_20_mm_and_lies_within_the_window(desk: Desk, screen: str, name: str) -> None:
    desk.window.set_language("ja" if name == "ja" else "en")
    QApplication.processEvents()
    touch = desk.window.look.sizes.touch
    found = controls(desk)
    assert len(found) >= 4
    for widget in found:
        what = f"{type(widget).__name__} {widget.accessibleName()!r} on {screen}"
        assert widget.height() >= touch, what
        assert widget.width() >= touch, what
        corner = widget.mapTo(desk.window.window, widget.rect().bottomRight())
        assert desk.window.window.rect().contains(corner), what


def test_every_control_has_a_name_for_screen_readers(desk: Desk, screen: str) -> None:
    unnamed = [type(widget).__name__ for widget in controls(desk) if not widget.accessibleName()]
    assert not unnamed, screen


def test_the_tab_key_reaches_every_control_and_comes_round(desk: Desk, screen: str) -> None:
    wanted = {widget for widget in controls(desk) if widget.isEnabled()}
    seen: list[QWidget] = []
    for _ in range(len(wanted) + 10):
        desk.qtbot.keyClick(desk.focus, Qt.Key.Key_Tab)
        seen.append(desk.focus)
    assert wanted <= set(seen), {widget.accessibleName() for widget in wanted - set(seen)}


@pytest.mark.parametrize("verdict", list(HumanVerdict))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_verdict_is_shown_by_text_sign_and_colour_together(desk: Desk, verdict: HumanVerdict, theme: str) -> None:
    desk.start_work()
    desk.window.set_theme("dark" if theme == "dark" else "light")
    inspect_next(desk)
    desk.work.decide(verdict)
    desk.until(lambda: desk.work.state.phase == "done")
    band = desk.window.window.screens["work"].band
    picture = band.grab().toImage()
    colours = THEMES["dark" if theme == "dark" else "light"]
    wanted = {HumanVerdict.OK: colours.ok, HumanVerdict.NG: colours.ng, HumanVerdict.HOLD: colours.hold}[verdict]
    assert picture.pixelColor(picture.width() // 2, 6).name().upper() == wanted
    assert band.accessibleName() == verdict.value
    height, ink = picture.height(), colours.on_verdict.upper()
    sign, letters = range(height // 4, height), range(int(height * 1.3), int(height * 3))
    for columns in (sign, letters):
        drawn = sum(picture.pixelColor(x, y).name().upper() == ink for x in columns for y in range(0, height, 2))
        assert drawn > 100


def test_the_whole_window_fits_a_small_display_at_twice_the_scaling(desk: Desk) -> None:
    desk.start_work()
    inspect_next(desk)
    desk.window.window.resize(1024, 700)
    QApplication.processEvents()
    for widget in controls(desk):
        corner = widget.mapTo(desk.window.window, widget.rect().bottomRight())
        assert desk.window.window.rect().contains(corner), widget.accessibleName()
