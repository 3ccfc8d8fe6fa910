"""The life of a session: which steps are allowed, and that every step moves forward."""

from __future__ import annotations

import itertools

import pytest

from models.errors import Conflict
from models.states import ENDED, OPEN, SESSION_TRANSITIONS, SessionStatus, require_transition, status_rank


def test_every_allowed_step_raises_the_rank():
    for present, following in SESSION_TRANSITIONS.items():
        for wanted in following:
            assert status_rank(wanted) > status_rank(present)


def test_only_a_completed_failed_or_cancelled_session_has_ended():
    ended = {status for status in SessionStatus if not SESSION_TRANSITIONS[status]}
    assert ended == {SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.CANCELLED}
    assert ended == ENDED


def test_a_session_is_open_in_every_state_in_which_it_has_not_ended():
    assert ENDED.isdisjoint(OPEN)
    assert ENDED | set(OPEN) == set(SessionStatus)


@pytest.mark.parametrize(("present", "wanted"), list(itertools.product(SessionStatus, SessionStatus)))
def test_a_step_that_is_not_allowed_is_a_conflict_that_names_both_states(present, wanted):
    if wanted in SESSION_TRANSITIONS[present]:
        require_transition(present, wanted)
        return
    with pytest.raises(Conflict) as refusal:
        require_transition(present, wanted)
    assert refusal.value.values == {"present": present.value, "wanted": wanted.value}


def test_every_status_but_the_first_can_be_reached():
    reached = {wanted for following in SESSION_TRANSITIONS.values() for wanted in following}
    assert reached == set(SessionStatus) - {SessionStatus.PENDING}
