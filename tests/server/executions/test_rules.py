"""Decisions about executions are functions of values."""

from __future__ import annotations

import pytest

from models.errors import Conflict, DoesNotFit, PermissionDenied, Unavailable
from models.states import ExecutionMode, ExecutionStatus, Role
from server.executions.rules import (
    After,
    Start,
    after_trouble,
    pause_before,
    percent,
    remaining_ms,
    require_may_cancel,
    start_of,
    step_status,
)

DIRECT, FALLBACK = ExecutionMode.DIRECT_GRPC, ExecutionMode.KAFKA_FALLBACK
NO_SERVICE = Unavailable("service-unavailable", service="s", addresses="a", reason="r")


@pytest.mark.parametrize(
    ("attempts", "cancel", "expected"),
    [(0, False, Start.RUN), (2, False, Start.RUN), (3, False, Start.GIVE_UP), (0, True, Start.CANCEL)],
)
def test_a_worker_begins_what_is_neither_cancelled_nor_poison(attempts: int, cancel: bool, expected: Start) -> None:
    assert start_of(attempts=attempts, most_attempts=3, cancel_requested=cancel) is expected


@pytest.mark.parametrize(
    ("error", "mode", "attempts", "expected"),
    [
        (NO_SERVICE, DIRECT, 1, After.FALL_BACK),
        (Unavailable("service-circuit-open", service="s", seconds=3), DIRECT, 1, After.FALL_BACK),
        (NO_SERVICE, FALLBACK, 1, After.TRY_AGAIN),
        (NO_SERVICE, FALLBACK, 3, After.FAIL),
        (Unavailable("disk-full"), DIRECT, 1, After.TRY_AGAIN),
        (Unavailable("disk-full"), DIRECT, 3, After.FAIL),
        (DoesNotFit("image-scale"), DIRECT, 1, After.FAIL),
        (ValueError("a fault"), DIRECT, 1, After.TRY_AGAIN),
        (ValueError("a fault"), DIRECT, 3, After.FAIL),
    ],
)
def test_what_may_pass_is_tried_again(error: Exception, mode: ExecutionMode, attempts: int, expected: After) -> None:
    assert after_trouble(error, mode=mode, attempts=attempts, most_attempts=3) is expected


def test_pauses_double_up_to_a_minute() -> None:
    assert [pause_before(attempt) for attempt in (1, 2, 3, 10)] == [1.0, 2.0, 4.0, 60.0]


@pytest.mark.parametrize(("role", "user"), [(Role.INSPECTOR, "other"), (None, None)])
def test_nobody_else_cancels(role: Role | None, user: str | None) -> None:
    with pytest.raises(PermissionDenied):
        require_may_cancel(status=ExecutionStatus.RUNNING, starter="me", role=role, user_id=user)


def test_an_end_is_not_cancelled() -> None:
    with pytest.raises(Conflict):
        require_may_cancel(status=ExecutionStatus.COMPLETED, starter="me", role=Role.ADMIN, user_id="a")
    require_may_cancel(status=ExecutionStatus.CANCELLED, starter="me", role=Role.ADMIN, user_id="a")


def test_the_rest_is_estimated_from_the_pace_so_far() -> None:
    assert remaining_ms(100.0, 0.0) is None
    assert remaining_ms(100.0, 25.0) == 300.0
    assert (percent(1, 3), percent(0, 0)) == (33.3, 0.0)


@pytest.mark.parametrize(
    ("run", "step", "expected"),
    [
        (ExecutionStatus.RUNNING, "running", "running"),
        (ExecutionStatus.PENDING, "running", "running"),
        (ExecutionStatus.FAILED, "running", "failed"),
        (ExecutionStatus.CANCELLED, "running", "cancelled"),
        (ExecutionStatus.FAILED, "completed", "completed"),
        (ExecutionStatus.COMPLETED, "completed", "completed"),
    ],
)
def test_a_step_that_its_run_did_not_let_end_has_the_status_of_the_run(
    run: ExecutionStatus, step: str, expected: str
) -> None:
    assert step_status(run, step) == expected
