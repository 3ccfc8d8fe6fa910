"""The threshold can be seen among the scores of good parts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.widgets.score_histogram import ScoreHistogram, bins
from tests.app.ui.conftest import Desk

positive = st.floats(min_value=0.01, max_value=1e4)


# The first example loads NumPy.
@settings(deadline=None)
@given(st.lists(positive, min_size=1, max_size=200), positive)
def test_every_score_is_in_a_bar_and_no_bar_lies_on_both_sides_of_the_threshold(
    scores: list[float], threshold: float
) -> None:
    counts, edges = bins(tuple(scores), threshold)
    assert counts.sum() == len(scores)
    assert min(abs(edges - threshold)) < threshold * 1e-9


def test_home_shows_how_the_model_scores_good_parts_and_where_its_threshold_lies(desk: Desk) -> None:
    desk.sign_in()
    desk.until(lambda: desk.home.state.scores)
    scores = desk.home.state.scores
    assert scores is not None
    chart = desk.window.window.findChild(ScoreHistogram)
    assert chart.isVisible()
    assert f"Scores of {len(scores.scores)} good parts" in chart.accessibleName()
    assert f"{scores.threshold:.2f}" in chart.accessibleName()
    desk.window.set_language("ja")
    desk.until(lambda: f"良品 {len(scores.scores)} 個" in chart.accessibleName())
