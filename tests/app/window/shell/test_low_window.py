"""Screens in a window of 1366 by 728 with a banner: what has no room is scrolled, never drawn over something else."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.window.home.details_panel import DetailChoice
from app.window.widgets.score_histogram import ScoreHistogram
from inspection.anomaly.training.estimates import DetailEstimate
from models.errors import InvalidInput, Unavailable
from models.messages import LANGUAGES, Language
from tests.support.user_robot import UserRobot


@pytest.fixture
def low(robot: UserRobot) -> UserRobot:
    robot.window.window.resize(1366, 728)
    robot.context.notices.add("sync", Unavailable("server-unreachable", server="http://127.0.0.1:9"))
    return robot


def overlapping(widgets: list[QWidget], within: QWidget) -> list[tuple[QWidget, QWidget]]:
    """Return neighbours of which the lower one begins above the end of the upper one."""
    shown = sorted((widget for widget in widgets if widget.isVisible()), key=lambda one: top(one, within))
    return [(one, two) for one, two in pairwise(shown) if top(two, within) < top(one, within) + one.height()]


def top(widget: QWidget, within: QWidget) -> int:
    return widget.mapTo(within, QPoint(0, 0)).y()


def test_the_labels_of_set_up_are_not_drawn_over_the_fields(low: UserRobot) -> None:
    low.window.show_screen("enrolment")
    low.enrolment._show(replace(low.enrolment.state, enrolled=False))
    screen = low.window.window.screens["enrolment"]
    low.qtbot.wait(1)
    widgets = [*screen.labels, screen.address, screen.code, screen.name, screen.question, screen.hint]
    assert len([widget for widget in widgets if widget.isVisible()]) == 8
    assert overlapping(widgets, screen) == []


def test_the_choice_of_a_detail_is_not_drawn_over_the_items(low: UserRobot) -> None:
    low.context.sign_in(low.station.engineer)
    low.window.language.show("ja")
    low.window.show_screen("home")
    low.until(lambda: low.home.state.items)
    details = tuple(
        DetailEstimate(name, 288, 1, 20.0, 60.0, 300.0, 12) for name in ("fast", "standard", "fine", "finest")
    )
    low.home._show(replace(low.home.state, details=details))
    screen = low.window.window.screens["home"]
    low.qtbot.wait(1)
    choice = screen.findChild(DetailChoice)
    widgets = [screen.items_title, screen.items, screen.training_title, screen.folder, choice, screen.progress_text]
    assert choice.isVisible()
    assert overlapping(widgets, screen) == []
    assert not choice.visibleRegion().isEmpty()
    assert not screen.progress_text.visibleRegion().isEmpty()
    assert choice.visibleRegion().boundingRect().width() == choice.width()


@pytest.mark.parametrize("width", [1024, 1366])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_scores_are_shown_whole_below_a_notice_of_three_lines(
    low: UserRobot, language: Language, width: int
) -> None:
    low.window.language.show(language)
    low.window.window.resize(width, 728)
    low.sign_in()
    low.until(lambda: low.home.state.scores)
    detail, chart = low.window.window.banner.detail, low.window.window.findChild(ScoreHistogram)
    names = ["casting_surface_line_3_part_0.png"]
    while detail.height() < 3 * detail.fontMetrics().lineSpacing():
        names.append(f"casting_surface_line_3_part_{len(names)}.png")
        unread = InvalidInput("window-images-unread", count=20, names=", ".join(names))
        low.context.notices.add("source-unread", unread)
        low.qtbot.wait(1)
    assert chart.height() >= chart.minimumHeight()
    assert chart.parentWidget().rect().contains(chart.geometry())


def test_the_name_of_who_works_is_shown_whole(low: UserRobot) -> None:
    low.context.sign_in(low.station.engineer)
    low.window.language.show("ja")
    low.window.show_screen("sync")
    low.qtbot.wait(1)
    user = low.window.window.top_bar.user
    assert low.station.engineer.username in user.text()
    assert user.width() >= user.sizeHint().width()
