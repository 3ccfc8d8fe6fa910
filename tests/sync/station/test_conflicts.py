"""Conflicts as a person decides about them: both sides, leaving theirs, taking one's own again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.clock import utc_now
from models.errors import Conflict, InvalidInput, NotFound
from models.states import Role
from models.sync import SyncConflict
from models.targets import InspectionItem, Target
from models.users import User
from sync.station.conflicts import ShownConflict, keep_theirs, list_conflicts, take_mine
from tests.support.sync_stores import Station, prepared, signed_in


def conflicts_of(station: Station, *, seen: bool = False) -> list[ShownConflict]:
    with station.database.read() as session:
        return list_conflicts(session, seen=seen)


@pytest.fixture
def lost(server, make_station):
    """Two stations that changed the name of one target; the first one's value lost."""
    one, two = make_station("one"), make_station("two")
    user, target, item = prepared(server, one, two)
    one.edit(Target, target.id, user.id, name="older")
    two.edit(Target, target.id, user.id, name="newer")
    two.edit(Target, target.id, user.id, name="newest")
    two.sync()
    one.sync()
    return one, two, user, target, item


def test_a_conflict_shows_both_values_with_who_made_them(lost):
    one, two, user, target, _ = lost
    (conflict,) = conflicts_of(one)
    assert (conflict.called, conflict.field, conflict.holds) == (target.code, "name", "newest")
    assert (conflict.mine.text, conflict.mine.device_id, conflict.mine.by) == (
        "older",
        one.device_id,
        f"{user.username}, one",
    )
    assert (conflict.theirs.text, conflict.theirs.device_id, conflict.theirs.by) == (
        "newest",
        two.device_id,
        f"{user.username}, two",
    )
    assert (conflict.mine.has_user, conflict.theirs.has_user) == (True, True)
    assert conflict.mine.at is not None
    assert conflict.theirs.at is not None


def test_a_value_that_replaced_another_leaves_both_users_on_the_server(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    other = User(username="other", role=Role.SUPERVISOR)
    server.add(other, signed_in(other, two.device_id))
    two.sync()
    two.edit(Target, target.id, other.id, name="older")
    one.clock.observe(two.clock.now())
    one.edit(Target, target.id, user.id, name="newer")
    two.sync()
    one.sync()
    with server.database.read() as session:
        row = session.scalars(select(SyncConflict)).one()
    assert (row.kept_value, row.kept_user, row.lost_user) == ("newer", user.username, "other")


@pytest.mark.parametrize(("by_a_person", "username"), [(True, "quality"), (False, "")])
def test_a_value_set_on_the_server_shows_whether_a_person_set_it(server, make_station, by_a_person, username):
    one = make_station("one")
    user, target, _ = prepared(server, one)
    one.edit(Target, target.id, user.id, name="older")
    with server.database.transaction(user.id if by_a_person else None) as session:
        session.get_one(Target, target.id).name = "newer"
    one.sync()
    (conflict,) = conflicts_of(one)
    assert conflict.theirs.has_user is by_a_person
    assert conflict.theirs.by.startswith(username)


def test_a_value_taken_again_goes_to_the_server_as_a_new_edit(server, lost):
    one, two, user, target, _ = lost
    (conflict,) = conflicts_of(one)
    take_mine(one.database, conflict.id, user_id=user.id, actor="q", device_id=one.device_id)
    assert conflicts_of(one) == []
    one.sync()
    two.sync()
    assert {place.record(Target, target.id).name for place in (one, two, server)} == {"older"}
    assert conflicts_of(two) == [], "the edit was made with knowledge of the other value"


def test_the_value_that_was_kept_stays_when_a_person_leaves_it(server, lost):
    one, _, _, target, _ = lost
    (conflict,) = conflicts_of(one)
    assert keep_theirs(one.database, [conflict.id], actor="q", device_id=one.device_id) == 1
    assert keep_theirs(one.database, [conflict.id], actor="q", device_id=one.device_id) == 0
    one.sync()
    assert server.record(Target, target.id).name == "newest"
    assert conflicts_of(one) == []
    assert [shown.id for shown in conflicts_of(one, seen=True)] == [conflict.id]


@pytest.mark.parametrize(
    ("decide", "action"),
    [
        (lambda one, user, found: keep_theirs(one.database, [found], actor="q", device_id=one.device_id), "kept"),
        (
            lambda one, user, found: take_mine(
                one.database, found, user_id=user.id, actor="q", device_id=one.device_id
            ),
            "taken-back",
        ),
    ],
)
def test_a_decision_is_in_the_audit_trail(lost, decide, action):
    one, _, user, target, _ = lost
    decide(one, user, conflicts_of(one)[0].id)
    with one.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == f"sync.conflict-{action}")).one()
    assert (entry.actor, entry.subject_id, entry.detail["lost_value"]) == ("q", target.id, "older")


def test_a_value_that_holds_already_is_not_offered_again(server, lost):
    one, _, user, target, _ = lost
    one.edit(Target, target.id, user.id, name="older")
    assert not conflicts_of(one)[0].may_take


def test_a_field_of_a_deleted_record_cannot_be_set_again(lost):
    one, _, user, target, _ = lost
    one.edit(Target, target.id, user.id, deleted_at=utc_now())
    (conflict,) = conflicts_of(one)
    assert (conflict.holds, conflict.may_take) == (None, False)
    with pytest.raises(Conflict) as caught:
        take_mine(one.database, conflict.id, user_id=user.id, actor="q", device_id=one.device_id)
    assert caught.value.code == "conflict-record-gone"


def test_a_code_that_another_record_has_meanwhile_is_not_set_again(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, target, _ = prepared(server, one, two)
    one.edit(Target, target.id, user.id, code="OLDER")
    two.edit(Target, target.id, user.id, code="NEWER")
    two.edit(Target, target.id, user.id, code="NEWEST")
    two.sync()
    one.sync()
    one.add(user.id, Target(code="OLDER", name="Another"))
    (conflict,) = conflicts_of(one)
    with pytest.raises(InvalidInput) as caught:
        take_mine(one.database, conflict.id, user_id=user.id, actor="q", device_id=one.device_id)
    assert caught.value.code == "dead-letter-taken"


def test_a_conflict_that_is_not_there_is_unknown(lost):
    one, _, user, _, _ = lost
    with pytest.raises(NotFound) as caught:
        take_mine(one.database, "no-such", user_id=user.id, actor="q", device_id=one.device_id)
    assert caught.value.code == "conflict-unknown"


def test_values_that_are_no_text_are_shown_as_json(server, make_station):
    one, two = make_station("one"), make_station("two")
    user, _, item = prepared(server, one, two)
    one.edit(InspectionItem, item.id, user.id, position=3)
    two.edit(InspectionItem, item.id, user.id, position=4)
    two.edit(InspectionItem, item.id, user.id, position=5)
    two.sync()
    one.sync()
    (conflict,) = conflicts_of(one)
    assert conflict.as_json() | {"created_at": ""} == {
        "id": conflict.id,
        "entity": "item",
        "entity_id": item.id,
        "called": item.name,
        "field": "position",
        "mine": conflict.mine.as_json(),
        "theirs": conflict.theirs.as_json(),
        "holds": "5",
        "may_take": True,
        "created_at": "",
        "seen_at": None,
    }
    assert (conflict.mine.text, conflict.theirs.text) == ("3", "5")
