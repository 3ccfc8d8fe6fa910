"""A pass steps aside for the work at the station."""

from __future__ import annotations

import threading

from sync.station.courtesy import AT_WORK_S, Courtesy

LONG_S = 30.0


def stepping(courtesy: Courtesy) -> threading.Thread:
    thread = threading.Thread(target=courtesy.step_aside, args=(LONG_S,))
    thread.start()
    return thread


def test_a_step_begins_at_once_when_nobody_works() -> None:
    thread = stepping(Courtesy())
    thread.join(LONG_S / 2)
    assert not thread.is_alive()


def test_a_step_waits_for_the_end_of_a_piece_of_work() -> None:
    courtesy = Courtesy()
    with courtesy.working():
        thread = stepping(courtesy)
        thread.join(0.05)
        assert thread.is_alive()
    thread.join(LONG_S / 2)
    assert not thread.is_alive()


def test_each_end_of_work_lets_one_step_begin() -> None:
    courtesy = Courtesy()
    with courtesy.working():
        pass
    courtesy.step_aside(LONG_S)
    second = stepping(courtesy)
    second.join(0.05)
    assert second.is_alive()
    with courtesy.working():
        pass
    second.join(LONG_S / 2)
    assert not second.is_alive()


def test_work_that_goes_on_for_long_does_not_stop_a_pass() -> None:
    courtesy = Courtesy()
    with courtesy.working():
        courtesy.step_aside(0.01)
        assert courtesy.at_work


def test_somebody_works_until_some_seconds_after_the_last_part() -> None:
    now = [0.0]
    courtesy = Courtesy(lambda: now[0])
    assert not courtesy.at_work
    with courtesy.working():
        pass
    assert courtesy.at_work
    now[0] = AT_WORK_S
    assert not courtesy.at_work
