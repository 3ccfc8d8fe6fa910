"""Alarms grouped to episodes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inspection.sensor import EpisodeLog, RowScores, episodes_of
from inspection.sensor.model.sensor_model import RowScore
from inspection.sensor.scoring.episode_log import KEPT_EPISODES


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


def logged(scores: list[float], hold_off: int) -> EpisodeLog:
    log, shares = EpisodeLog(hold_off, 2), scored(scores).shares
    for place, (score, share) in enumerate(zip(scores, shares.tolist(), strict=True)):
        squares = dict(zip(("speed", "current"), (part * score**2 for part in share), strict=True))
        log.add(float(place), RowScore(score, "anomaly" if score > 1 else "normal", 1.0, squares))
    return log


@given(scores=st.lists(st.sampled_from([0.0, 0.0, 0.5, 2.0, 3.0, 9.0]), max_size=60), hold_off=st.integers(1, 6))
def test_a_log_row_by_row_has_the_episodes_of_all_rows(scores: list[float], hold_off: int) -> None:
    log = logged(scores, hold_off)
    found = [(one.start, one.end, one.peak, one.score, one.alarms, log.is_open(one)) for one in log.episodes]
    wanted = episodes_of(scored(scores), hold_off) if scores else ()
    assert found == [(one.start, one.end, one.peak, one.score, one.alarms, one.open) for one in wanted]
    leading = [[("speed", "current")[place] for place, _ in one.sensors] for one in log.episodes]
    assert leading == [[name for name, _ in one.sensors] for one in wanted]


def test_rows_that_are_not_judged_end_an_episode_as_normal_ones_do() -> None:
    log = logged([2.0], 2)
    log.add(1.0, None)
    assert log.is_open(log.episodes[0])
    log.add(2.0, None)
    assert not log.is_open(log.episodes[0])


def test_a_log_keeps_the_newest_episodes() -> None:
    log = logged([2.0, 0.0, 0.0] * (KEPT_EPISODES + 5), 2)
    assert len(log.episodes) == KEPT_EPISODES
    assert log.episodes[0].start == 15
