"""A server takes as many requests of stations at once as it can answer in time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from fastapi.routing import APIRoute

from models.errors import TooManyRequests
from server.sync.admission import Admission
from server.sync.endpoints import admitted, router


def refusal(admission: Admission) -> TooManyRequests | None:
    try:
        with admission.one():
            return None
    except TooManyRequests as error:
        return error


def test_a_request_beyond_the_most_is_asked_to_come_again() -> None:
    admission = Admission(2)
    with admission.one(), admission.one():
        refused = refusal(admission)
    assert refused is not None
    assert (refused.code, refused.members["retry_after"]) == ("sync-busy", 1)
    assert refusal(admission) is None


def test_a_request_that_fails_makes_room_too() -> None:
    admission = Admission(1)
    with pytest.raises(ValueError, match="bug"), admission.one():
        raise ValueError("bug")
    assert refusal(admission) is None


def test_the_more_are_refused_the_longer_they_are_to_wait() -> None:
    now = [0.0]
    admission = Admission(4, lambda: now[0])
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(admission.one())
        waits = [error.members["retry_after"] for _ in range(200) if (error := refusal(admission)) is not None]
        now[0] = 60.0
        later = refusal(admission)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1, 30)
    assert later is not None
    assert later.members["retry_after"] == 1


@pytest.mark.parametrize("path", ["apply-changes", "begin", "changes", "compare", "drift", "upload", "download"])
def test_each_request_of_a_pass_is_counted(path: str) -> None:
    route = next(one for one in router.routes if isinstance(one, APIRoute) and one.path.endswith(f"/sync/{path}"))
    assert admitted in {one.dependency for one in route.dependencies}
