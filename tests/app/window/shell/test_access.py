"""Gloves, keyboards and screen readers: sizes, names and order of everything that can be used."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListWidget, QSlider, QWidget

from app.window.features import FEATURES
from app.window.look.theme import THEMES
from models.states import HumanVerdict, Verdict
from tests.support.user_robot import UserRobot, inspect_next

CONTROLS = (QAbstractButton, QLineEdit, QListWidget, QSlider)


def controls(robot: UserRobot) -> list[QWidget]:
    """Everything on the screen that a person can use."""
    return [
        widget
        for kind in CONTROLS
        for widget in robot.window.window.findChildren(kind)
        if widget.isVisible() and widget.objectName() != "qt_spinbox_lineedit"
    ]


def reason_panel(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot, Verdict.NG)
    robot.key(Qt.Key.Key_Return)


@pytest.fixture(params=[*FEATURES, "reason"])
def screen(request: pytest.FixtureRequest, robot: UserRobot) -> str:
    name: str = request.param
    if name == "reason":
        reason_panel(robot)
    elif name == "work":
        robot.start_work()
        inspect_next(robot)
    else:
        robot.sign_in()
        robot.window.show_screen(name)
    robot.until(lambda: robot.window.workers.is_idle)
    return name


@pytest.mark.parametrize("name", ["en", "ja"])
def test_every_control_of_at_least_20_mm_lies_within_the_window(robot: UserRobot, screen: str, name: str) -> None:
    robot.window.language.show("ja" if name == "ja" else "en")
    QApplication.processEvents()
    touch = robot.window.style.sizes.touch
    found = controls(robot)
    assert len(found) >= 4
    for widget in found:
        what = f"{type(widget).__name__} {widget.accessibleName()!r} on {screen}"
        assert widget.height() >= touch, what
        assert widget.width() >= touch, what
        corner = widget.mapTo(robot.window.window, widget.rect().bottomRight())
        assert robot.window.window.rect().contains(corner), what


def test_every_control_has_a_name_for_screen_readers(robot: UserRobot, screen: str) -> None:
    unnamed = [type(widget).__name__ for widget in controls(robot) if not widget.accessibleName()]
    assert not unnamed, screen


def test_the_tab_key_reaches_every_control(robot: UserRobot, screen: str) -> None:
    wanted = {widget for widget in controls(robot) if widget.isEnabled()}
    seen: list[QWidget] = []
    for _ in range(len(wanted) + 10):
        robot.qtbot.keyClick(robot.focus, Qt.Key.Key_Tab)
        seen.append(robot.focus)
    assert wanted <= set(seen), {widget.accessibleName() for widget in wanted - set(seen)}


@pytest.mark.parametrize("verdict", list(HumanVerdict))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_verdict_is_shown_by_colour_as_well_as_by_a_sign_with_text(
    robot: UserRobot, verdict: HumanVerdict, theme: str
) -> None:
    robot.start_work()
    robot.window.theme.show("dark" if theme == "dark" else "light")
    inspect_next(robot)
    robot.work.decide(verdict)
    robot.until(lambda: robot.work.state.phase == "done")
    band = robot.window.window.screens["work"].band
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


def test_the_whole_window_fits_a_small_display_at_twice_the_scaling(robot: UserRobot) -> None:
    robot.start_work()
    inspect_next(robot)
    robot.window.window.resize(1024, 700)
    QApplication.processEvents()
    for widget in controls(robot):
        corner = widget.mapTo(robot.window.window, widget.rect().bottomRight())
        assert robot.window.window.rect().contains(corner), widget.accessibleName()
