"""Properties of the merge rules: the same result in every order, nothing applied twice, nothing lost in silence."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.clock import HybridLogicalClock, Stamp
from models.states import SessionStatus, status_rank
from sync.shared.merge import FieldState, fields_to_take, merge_master, merge_owned, trusted_stamp
from sync.shared.protocol import MAX_SKEW_MS

NAMES = st.sampled_from(["name", "code", "description"])
VALUES = st.one_of(st.integers(0, 3), st.text(max_size=3), st.none())


@st.composite
def concurrent_changes(draw: st.DrawFn) -> list[tuple[dict[str, Any], str]]:
    """Up to four changes of different devices from one base, each with a clock of its own."""
    count = draw(st.integers(1, 4))
    stamps = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    return [
        (draw(st.dictionaries(NAMES, VALUES, min_size=1)), str(Stamp(stamps[number], 0, f"d{number}")))
        for number in range(count)
    ]


def applied(present: dict[str, Any], changes: list[tuple[dict[str, Any], str]], base: int):
    """The server's side: one change after the other at rising positions."""
    record, states, lost, replaced = dict(present), {}, [], []
    for name in present:
        states[name] = FieldState(base, str(Stamp(0, 0, "base")))
    for position, (fields, clock) in enumerate(changes, start=base + 1):
        merge = merge_master(record, states, fields, base_rev=base, clock=clock)
        record |= merge.taken
        states |= {name: FieldState(position, clock) for name in merge.taken}
        lost += merge.lost
        replaced += merge.replaced
        assert set(merge.taken) | set(merge.restated) | _equal(fields, record) == set(fields) | set(merge.taken)
    return record, lost, replaced


def _equal(fields: dict[str, Any], record: dict[str, Any]) -> set[str]:
    return {name for name, value in fields.items() if record.get(name) == value}


@given(concurrent_changes())
@settings(max_examples=150, deadline=None)
def test_concurrent_changes_give_the_same_record_in_every_order(changes):
    present = {"name": "n", "code": "c", "description": "d"}
    results = [applied(present, list(order), 7)[0] for order in itertools.permutations(changes)]
    assert all(result == results[0] for result in results)


@given(concurrent_changes())
@settings(max_examples=100, deadline=None)
def test_each_field_ends_with_the_newest_value_or_with_one_that_none_changed(changes):
    record, _, _ = applied({"name": "n", "code": "c", "description": "d"}, changes, 7)
    for name, value in record.items():
        writers = [(clock, fields[name]) for fields, clock in changes if name in fields]
        if writers:
            assert value == max(writers, key=lambda writer: Stamp.parse(writer[0]))[1]


@given(concurrent_changes())
@settings(max_examples=100, deadline=None)
def test_every_value_that_does_not_stand_is_in_the_history(changes):
    record, lost, replaced = applied({"name": "n", "code": "c", "description": "d"}, changes, 7)
    history = [(conflict.field, conflict.lost_value) for conflict in (*lost, *replaced)]
    for fields, _ in changes:
        for name, value in fields.items():
            assert record[name] == value or (name, value) in history


@given(st.dictionaries(NAMES, VALUES, min_size=1), st.integers(1, 50))
@settings(deadline=None)
def test_a_change_made_with_knowledge_of_the_newest_is_never_a_conflict(fields, rev):
    states = {name: FieldState(rev, str(Stamp(10**12, 0, "other"))) for name in fields}
    merge = merge_master(dict.fromkeys(fields, "x"), states, fields, base_rev=rev, clock=str(Stamp(1, 0, "me")))
    assert merge.taken == fields
    assert not merge.lost
    assert not merge.replaced


@given(st.permutations(range(4)), st.lists(st.sampled_from(list(SessionStatus)), min_size=4, max_size=4))
@settings(deadline=None)
def test_a_sessions_status_only_moves_forward(order, statuses):
    present = {"status": SessionStatus.PENDING.value}
    rank = 0
    for index in order:
        present |= merge_owned(present, {"status": statuses[index].value}).taken
        now = status_rank(SessionStatus(present["status"]))
        assert now >= rank
        rank = now
    assert rank == max(status_rank(status) for status in (*statuses, SessionStatus.PENDING))


@given(
    st.lists(st.tuples(st.integers(1, 30), st.dictionaries(NAMES, VALUES)), max_size=8),
    st.frozensets(NAMES),
)
@settings(deadline=None)
def test_a_station_takes_no_older_value_nor_one_over_an_edit_that_waits(pulled, waiting):
    revs: dict[str, int | None] = {}
    shown: dict[str, Any] = dict.fromkeys(["name", "code", "description"], "local")
    for rev, fields in [*pulled, *pulled]:
        taken = fields_to_take(fields, rev=rev, revs=revs, waiting=waiting)
        assert not waiting & set(taken)
        for name in taken:
            assert rev >= (revs.get(name) or 0)
            revs[name] = rev
        shown |= taken
    assert all(shown[name] == "local" for name in waiting)


@given(st.integers(-10 * MAX_SKEW_MS, 10 * MAX_SKEW_MS))
@settings(deadline=None)
def test_a_stamp_too_far_ahead_carries_no_clock_away(skew):
    wall = 1_760_000_000_000
    clock = HybridLogicalClock("server", wall=lambda: wall)
    stamp = trusted_stamp(Stamp(wall + skew, 3, "station"), clock, wall)
    assert stamp.device == "station"
    assert stamp.milliseconds <= wall + MAX_SKEW_MS
    assert (stamp.milliseconds == wall + skew) == (skew <= MAX_SKEW_MS)
    assert clock.now().milliseconds <= wall + MAX_SKEW_MS
