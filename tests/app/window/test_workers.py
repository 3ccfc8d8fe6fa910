from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.window.presenting.running import Lane, Task
from app.window.workers import Workers
from models.errors import Unavailable, UserFacingError


@pytest.fixture
def workers(qtbot: QtBot) -> Iterator[Workers]:
    made = Workers()
    yield made
    made.close()
    made.deleteLater()


def no_failure(error: UserFacingError) -> None:
    raise error


def test_the_result_of_work_in_the_background_arrives_on_the_ui_thread(qtbot: QtBot, workers: Workers) -> None:
    threads: list[threading.Thread] = []
    workers.run(
        lambda _: threads.append(threading.current_thread()),
        lane=Lane.DATABASE,
        on_success=lambda _: threads.append(threading.current_thread()),
        on_failure=no_failure,
    )
    qtbot.waitUntil(lambda: workers.is_idle)
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()


def test_a_lane_keeps_its_order_while_another_lane_waits(qtbot: QtBot, workers: Workers) -> None:
    gate, order = threading.Event(), []
    workers.run(lambda _: gate.wait(10), lane=Lane.NETWORK, on_success=lambda _: None, on_failure=no_failure)
    for number in range(5):
        workers.run(lambda _, n=number: n, lane=Lane.DATABASE, on_success=order.append, on_failure=no_failure)
    qtbot.waitUntil(lambda: len(order) == 5)
    assert order == list(range(5))
    assert not workers.is_idle
    gate.set()
    qtbot.waitUntil(lambda: workers.is_idle)


def test_progress_arrives_before_the_result(qtbot: QtBot, workers: Workers) -> None:
    seen: list[object] = []

    def work(task: Task) -> str:
        task.report(0.5)
        return "done"

    workers.run(work, lane=Lane.TRAINING, on_success=seen.append, on_failure=no_failure, on_progress=seen.append)
    qtbot.waitUntil(lambda: workers.is_idle)
    assert seen == [0.5, "done"]


def test_trouble_of_the_world_goes_to_the_failure_path(qtbot: QtBot, workers: Workers) -> None:
    reported: list[str] = []

    def work(_: Task) -> None:
        raise Unavailable("disk-full")

    workers.run(
        work, lane=Lane.DATABASE, on_success=lambda _: None, on_failure=lambda error: reported.append(error.code)
    )
    qtbot.waitUntil(lambda: workers.is_idle)
    assert reported == ["disk-full"]


def test_a_bug_in_the_background_is_raised_on_the_ui_thread(qtbot: QtBot, workers: Workers) -> None:
    finished: list[bool] = []

    def work(_: Task) -> None:
        raise ZeroDivisionError

    with qtbot.captureExceptions() as raised:
        workers.run(
            work,
            lane=Lane.DATABASE,
            on_success=lambda _: None,
            on_failure=no_failure,
            on_finished=lambda: finished.append(True),
        )
        qtbot.waitUntil(lambda: workers.is_idle)
    assert [kind for kind, _, _ in raised] == [ZeroDivisionError]
    assert finished == [True]


def test_cancelled_work_fails_in_silence(qtbot: QtBot, workers: Workers) -> None:
    started = threading.Event()

    def work(task: Task) -> None:
        started.set()
        task.cancelled.wait(10)
        raise Unavailable("disk-full")

    task = workers.run(work, lane=Lane.TRAINING, on_success=no_failure, on_failure=no_failure)
    assert started.wait(10)
    task.cancel()
    qtbot.waitUntil(lambda: workers.is_idle)


def test_closing_leaves_no_work_waiting_or_running(qtbot: QtBot, workers: Workers) -> None:
    ran: list[str] = []
    started = threading.Event()

    def first(task: Task) -> None:
        started.set()
        task.cancelled.wait(10)

    workers.run(first, lane=Lane.DATABASE, on_success=ran.append, on_failure=no_failure)
    workers.run(lambda _: ran.append("second"), lane=Lane.DATABASE, on_success=ran.append, on_failure=no_failure)
    assert started.wait(10)
    workers.close()
    qtbot.wait(50)
    assert ran == []
    assert workers.is_idle
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("station-")]
