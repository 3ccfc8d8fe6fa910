"""What is news for a client, decided from what it knows."""

from __future__ import annotations

from typing import Any

import pytest

from models.clock import utc_now
from models.states import ExecutionStatus
from server.executions.events import ExecutionEvent
from server.live.messages import Seen

PENDING, RUNNING, FAILED = ExecutionStatus.PENDING, ExecutionStatus.RUNNING, ExecutionStatus.FAILED


def event(status: ExecutionStatus = RUNNING, step: str | None = None, state: str | None = None, **fields: Any):
    given = {"execution_id": "e", "status": status, "timestamp": utc_now(), "step_id": step, "step_status": state}
    return ExecutionEvent(**given, **fields)


BEGUN, ENDED = event(step="resize", state="running"), event(step="resize", state="completed")


@pytest.mark.parametrize(
    ("events", "news"),
    [
        ([event(PENDING), event(RUNNING), event(FAILED)], [True, True, True]),
        ([event(RUNNING), event(RUNNING)], [True, False]),
        ([event(RUNNING), event(PENDING)], [True, False]),
        ([event(FAILED), event(ExecutionStatus.COMPLETED)], [True, False]),
        ([event(FAILED), BEGUN], [True, False]),
        ([BEGUN, ENDED, BEGUN], [True, True, False]),
        ([BEGUN, event(step="resize", state="running", file_index=1)], [True, True]),
        ([event(fencing_token=2), event(FAILED, fencing_token=1)], [True, False]),
    ],
)
def test_only_what_advances_is_news(events: list[ExecutionEvent], news: list[bool]) -> None:
    seen = Seen()
    assert [seen.take_event(one) for one in events] == news


def test_the_steps_of_another_worker_are_news_again() -> None:
    seen = Seen()
    for token in (1, 2):
        assert seen.take_event(event(step="resize", state="running", fencing_token=token))
    assert not seen.take_event(event(step="filter", state="running", fencing_token=1))
