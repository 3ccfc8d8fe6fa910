"""Alarms grouped to episodes."""

import numpy as np

from inspection.sensor import RowScores, episodes_of


def scored(scores: list[float]) -> RowScores:
    values = np.array(scores)
    shares = np.tile([0.25, 0.75], (len(values), 1))
    shares[values > 5] = [0.9, 0.1]
    return RowScores(("speed", "current"), 1.0, values, np.asarray(values > 1.0), shares)


def test_alarms_within_the_hold_off_are_one_episode() -> None:
    found = episodes_of(scored([0, 2, 0, 0, 3, 0, 0, 0, 2, 0]), 3)
    assert [(one.start, one.end, one.alarms) for one in found] == [(1, 4, 2), (8, 8, 1)]


def test_the_peak_is_the_row_of_the_highest_score() -> None:
    (found,) = episodes_of(scored([0, 2, 4, 3, 0]), 3)
    assert (found.peak, found.score) == (2, 4.0)


def test_a_row_far_off_decides_which_sensor_leads() -> None:
    (found,) = episodes_of(scored([0, 2, 2, 9, 2, 0]), 3)
    assert [name for name, _ in found.sensors] == ["speed", "current"]


def test_an_episode_is_open_until_the_hold_off_has_passed() -> None:
    assert [one.open for one in episodes_of(scored([2, 0, 0, 0, 0, 2, 0]), 3)] == [False, True]


def test_rows_without_an_alarm_have_no_episode() -> None:
    assert episodes_of(scored([0, 0.5]), 3) == ()
