"""The threshold can be seen among the scores of good parts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyqtgraph import AxisItem, InfiniteLine, PlotWidget
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPicture
from PySide6.QtWidgets import QApplication

from app.window.look.theme import THEMES, ThemeName
from app.window.widgets.score_histogram import ScoreHistogram, bins
from models.messages import LANGUAGES, Language
from tests.support.user_robot import UserRobot

positive = st.floats(min_value=0.01, max_value=1e4)


# The first example loads NumPy.
@settings(deadline=None)
@given(st.lists(positive, min_size=1, max_size=200), positive)
def test_every_score_is_in_a_bar_on_one_side_of_the_threshold(scores: list[float], threshold: float) -> None:
    counts, edges = bins(tuple(scores), threshold)
    assert counts.sum() == len(scores)
    assert min(abs(edges - threshold)) < threshold * 1e-9


def test_home_shows_where_the_threshold_lies_among_the_scores_of_good_parts(robot: UserRobot) -> None:
    robot.sign_in()
    robot.until(lambda: robot.home.state.scores)
    scores = robot.home.state.scores
    assert scores is not None
    chart = robot.window.window.findChild(ScoreHistogram)
    assert chart.isVisible()
    over = sum(score > scores.threshold for score in scores.scores)
    named = sorted([str(len(scores.scores)), str(over), f"{scores.threshold:.2f}"])
    english = chart.accessibleName()
    assert sorted(re.findall(r"\d+(?:\.\d+)?", english)) == named
    robot.window.language.show("ja")
    robot.until(lambda: chart.accessibleName() != english)
    assert sorted(re.findall(r"\d+(?:\.\d+)?", chart.accessibleName())) == named


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_axes_lie_inside_the_chart_on_a_small_display(
    robot: UserRobot, language: Language, theme: ThemeName
) -> None:
    robot.window.language.show(language)
    robot.window.theme.show(theme)
    robot.sign_in()
    robot.until(lambda: robot.home.state.scores)
    robot.window.window.resize(1366, 768)
    QApplication.processEvents()
    chart = robot.window.window.findChild(ScoreHistogram)
    plot = chart.findChild(PlotWidget)
    assert robot.window.window.height() == 768
    assert chart.rect().contains(plot.geometry())
    drawn_on = QRectF(plot.viewport().rect())
    assert drawn_on.contains(plot.getAxis("bottom").label.sceneBoundingRect())
    for side in ("left", "bottom"):
        numbers = tick_texts(plot.getAxis(side))
        assert len(numbers) >= 2
        assert all(drawn_on.contains(place) for place in numbers), side
    threshold = next(item.label for item in plot.items() if isinstance(item, InfiniteLine))
    assert drawn_on.contains(threshold.mapRectToScene(threshold.boundingRect()))


def tick_texts(axis: AxisItem) -> list[QRectF]:
    """Where the numbers of an axis are drawn, on the scene."""
    picture = QPicture()
    painter = QPainter(picture)
    _, _, texts = axis.generateDrawSpecs(painter)
    painter.end()
    return [axis.mapRectToScene(place) for place, _, _ in texts]


def test_the_bars_are_higher_than_a_line_of_text_on_a_small_display(robot: UserRobot) -> None:
    robot.sign_in()
    robot.until(lambda: robot.home.state.scores)
    robot.window.window.resize(1366, 768)
    QApplication.processEvents()
    plot = robot.window.window.findChild(ScoreHistogram).findChild(PlotWidget)
    assert plot.getViewBox().height() > 3 * robot.window.style.sizes.small_text
