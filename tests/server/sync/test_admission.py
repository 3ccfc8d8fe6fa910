"""A server takes as many requests of stations at once as it can answer in time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from models.errors import TooManyRequests
from server.sync.admission import Admission


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
