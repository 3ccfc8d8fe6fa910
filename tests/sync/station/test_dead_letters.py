"""Changes the server refused: their reasons, mending one, sending all of a cause again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.errors import InvalidInput
from models.ids import new_id
from models.messages import error_text
from models.sessions import ImageRecord
from models.states import ChangeOperation, OutboxState, Role
from models.storage import sha256_of
from models.sync import OutboxEntry
from models.synced import snapshot
from models.targets import InspectionItem, Target
from models.tracking import remote_changes
from models.users import User
from sync.shared.protocol import PulledChange, StaleMaster
from sync.station.apply import take_changes
from sync.station.conflicts import list_conflicts
from sync.station.dead_letters import DeadLetter, find_dead_letter, list_dead_letters
from sync.station.mending import change_fields, value_of
from sync.station.offering import offer
from sync.station.resending import resend, resend_all
from tests.support.sync_stores import Station, prepared, signed_in


def letters(station: Station) -> list[DeadLetter]:
    with station.database.read() as session:
        return list_dead_letters(session)


def refused_code(server, station):
    """A target whose code another one has on the server, refused."""
    user, target, _ = prepared(server, station)
    mine = Target(code=f"{target.code}-2", name="Mine")
    station.add(user.id, mine)
    server.add(Target(code=f"{target.code}-2", name="Theirs"))
    assert station.sync().dead == 1
    return user, target, mine


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_reason_is_in_the_language_of_who_reads_it(server, make_station, language):
    station = make_station()
    _, target, mine = refused_code(server, station)
    reason = letters(station)[0].reason(language)
    values = {"field": "code", "value": f"{target.code}-2"}
    assert reason == error_text("sync-not-unique", values, language)
    assert letters(station)[0].entity_id == mine.id


def test_a_problem_without_texts_is_shown_as_the_server_worded_it(server, make_station):
    station = make_station()
    refused_code(server, station)
    with station.database.transaction() as session:
        entry = session.scalars(select(OutboxEntry).where(OutboxEntry.state == OutboxState.DEAD)).one()
        entry.problem = {"type": "https://example/errors/older", "title": "Refused", "detail": "So it is."}
    reason = letters(station)[0].reason("ja")
    assert (reason.title, reason.detail, reason.advice) == ("Refused", "So it is.", "")


def test_a_value_that_another_record_here_has_is_not_taken(server, make_station):
    station = make_station()
    _, target, mine = refused_code(server, station)
    letter = letters(station)[0]
    with pytest.raises(InvalidInput) as caught:
        resend(station.database, letter.change_id, {"code": target.code}, actor="q", device_id=station.device_id)
    assert caught.value.code == "dead-letter-taken"
    assert letters(station)[0].change_id == letter.change_id
    assert station.record(Target, mine.id).code != target.code


@pytest.mark.parametrize("field", ["id", "created_at", "deleted_at", "colour"])
def test_a_field_that_is_not_to_be_mended_is_refused(server, make_station, field):
    station = make_station()
    refused_code(server, station)
    with pytest.raises(InvalidInput) as caught:
        resend(station.database, letters(station)[0].change_id, {field: "x"}, actor="q", device_id=station.device_id)
    assert caught.value.code == "dead-letter-not-mendable"


@pytest.fixture
def renamed(server, make_station):
    """A target renamed here to a code that another one got on the server meanwhile: refused, as the person wrote it."""
    station = make_station()
    user, target, _ = prepared(server, station)
    station.edit(Target, target.id, user.id, code="PLATE7")
    theirs = Target(code="PLATE7", name="Theirs")
    server.add(theirs)
    assert station.sync().dead == 1
    return station, target, theirs


def test_a_refused_code_stays_as_the_person_wrote_it(renamed):
    station, target, theirs = renamed
    assert station.record(Target, theirs.id).code == "PLATE7"
    assert station.record(Target, target.id).code != "PLATE7"
    assert [letter.fields["code"] for letter in letters(station)] == ["PLATE7"]


def test_a_taken_code_sent_again_as_it_is_comes_back_refused(server, renamed):
    station, target, _ = renamed
    resend_all(station.database, actor="q", device_id=station.device_id)
    assert station.sync().dead == 1
    assert [(letter.code, letter.fields["code"]) for letter in letters(station)] == [("sync-not-unique", "PLATE7")]
    assert server.record(Target, target.id).code == target.code


def test_a_refused_code_is_no_conflict_beside_its_letter(renamed):
    station, _, _ = renamed
    with station.database.read() as session:
        assert list_conflicts(session) == []


def test_a_code_taken_before_it_was_sent_goes_as_the_person_wrote_it(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    station.edit(Target, target.id, user.id, code="PLATE7")
    with station.database.transaction() as session:
        change = PulledChange(
            rev=10_000,
            change_id=new_id(),
            entity=Target.entity,
            entity_id=new_id(),
            op=ChangeOperation.INSERT,
            clock=str(station.clock.now()),
            fields=snapshot(Target(code="PLATE7", name="Theirs")),
        )
        take_changes(session, station.clock, [change])
    with station.database.read() as session:
        waiting = session.scalars(select(OutboxEntry).where(OutboxEntry.entity_id == target.id)).one()
        assert waiting.fields["code"] == "PLATE7"


def test_a_code_that_came_free_is_the_records_again_once_it_is_accepted(server, renamed):
    station, target, theirs = renamed
    with server.database.transaction() as session:
        session.get_one(Target, theirs.id).code = "ELSE"
    resend_all(station.database, actor="q", device_id=station.device_id)
    assert station.sync().dead == 0
    station.sync()
    assert {place.record(Target, target.id).code for place in (station, server)} == {"PLATE7"}
    assert station.record(Target, theirs.id).code == "ELSE"


def test_a_restored_server_is_not_offered_the_stand_in_of_a_code(renamed):
    station, target, _ = renamed
    stale = StaleMaster(entity=Target.entity, entity_id=target.id, rev=1, clock="", fields={}, field_clocks={})
    with station.database.transaction() as session, remote_changes(session):
        offer(session, session.get_one(Target, target.id), stale, station.device_id)
        session.flush()
        entries = session.scalars(select(OutboxEntry).where(OutboxEntry.entity_id == target.id)).all()
        assert [entry.fields["code"] for entry in entries if "code" in entry.fields] == ["PLATE7"]


def test_only_a_field_of_the_change_can_be_mended(renamed):
    station, target, _ = renamed
    (letter,) = letters(station)
    with pytest.raises(InvalidInput) as caught:
        resend(station.database, letter.change_id, {"name": "x"}, actor="q", device_id=station.device_id)
    assert (caught.value.code, caught.value.values["fields"]) == ("dead-letter-not-mendable", "name")
    assert station.record(Target, target.id).name != "x"


def test_a_mended_value_keeps_to_the_length_of_its_column(renamed):
    station, _, _ = renamed
    (letter,) = letters(station)
    with pytest.raises(InvalidInput) as caught:
        resend(station.database, letter.change_id, {"code": "x" * 65}, actor="q", device_id=station.device_id)
    assert caught.value.code == "dead-letter-field"


def test_what_happened_cannot_be_mended(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    station.inspect_part(target.id)
    with station.database.transaction() as session:
        entry = session.scalars(select(OutboxEntry).where(OutboxEntry.entity == ImageRecord.entity)).one()
        entry.state = OutboxState.DEAD
        change_id = entry.change_id
    with pytest.raises(InvalidInput) as caught:
        resend(station.database, change_id, {"width": 5}, actor="q", device_id=station.device_id)
    assert caught.value.code == "dead-letter-fact"
    with station.database.read() as session:
        assert not any(field.mendable for field in find_dead_letter(session, change_id).shown_fields)


def test_files_of_a_part_that_is_sent_again_are_announced_again(server, make_station):
    station = make_station()
    _, target, _ = prepared(server, station)
    part = station.inspect_part(target.id, image=b"pixels")
    with station.database.transaction() as session:
        entry = session.scalars(select(OutboxEntry).where(OutboxEntry.entity_id == part)).one()
        entry.state = OutboxState.DEAD
        change_id = entry.change_id
    station.sync()
    # A server removes an image that no record has named for long.
    server.objects.delete(sha256_of(b"pixels"))
    resend(station.database, change_id, actor="q", device_id=station.device_id)
    station.sync()
    assert server.objects.read(sha256_of(b"pixels")) == b"pixels"


def test_all_changes_of_one_cause_are_sent_again(server, make_station):
    station = make_station()
    _, target, item = prepared(server, station)
    newcomer = User(username="newcomer", role=Role.SUPERVISOR)
    server.add(newcomer)
    station.sync()
    station.edit(Target, target.id, newcomer.id, name="New name")
    station.edit(InspectionItem, item.id, newcomer.id, name="New item")
    other = Target(code="free", name="by nobody")
    station.add(None, other)
    assert station.sync().dead == 3
    server.add(signed_in(newcomer, station.device_id))
    count = resend_all(station.database, "sync-user-not-here", actor="q", device_id=station.device_id)
    assert count == 2
    assert station.sync().dead == 0
    assert (server.record(Target, target.id).name, server.record(InspectionItem, item.id).name) == (
        "New name",
        "New item",
    )
    assert [letter.entity_id for letter in letters(station)] == [other.id]


def test_sending_all_again_is_in_the_audit_trail(server, make_station):
    station = make_station()
    refused_code(server, station)
    assert resend_all(station.database, actor="q", device_id=station.device_id) == 1
    with station.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "sync.dead-letters-resent")).one()
        waiting = session.scalars(select(OutboxEntry.change_id).where(OutboxEntry.entity == "target")).all()
    assert (entry.actor, entry.detail["new_change_ids"]) == ("q", waiting)


def test_whoever_sends_a_masters_change_again_answers_for_it(server, make_station):
    station = make_station()
    user, target, _ = prepared(server, station)
    inspector = User(username="inspector", role=Role.INSPECTOR)
    server.add(inspector, signed_in(inspector, station.device_id))
    station.sync()
    station.edit(Target, target.id, inspector.id, name="Right all the same")
    assert station.sync().dead == 1
    change_id = letters(station)[0].change_id
    resend(station.database, change_id, actor="q", device_id=station.device_id, user_id=user.id)
    assert station.sync().dead == 0
    assert server.record(Target, target.id).name == "Right all the same"


@pytest.mark.parametrize(
    ("entity", "name", "text", "value"),
    [
        ("target", "code", "PLATE-2", "PLATE-2"),
        ("target", "code", '"PLATE-2"', "PLATE-2"),
        ("target", "code", "12", "12"),
        ("item", "position", "3", 3),
        ("item", "required", "false", False),
        ("item", "criteria", '{"a": 1}', {"a": 1}),
    ],
)
def test_a_typed_text_means_a_value_of_the_field(entity, name, text, value):
    assert value_of(entity, name, text) == value


@pytest.mark.parametrize(("name", "code"), [("position", "dead-letter-value"), ("colour", "dead-letter-not-mendable")])
def test_a_text_that_is_no_value_of_the_field_is_refused(name, code):
    with pytest.raises(InvalidInput) as caught:
        value_of("item", name, "third")
    assert caught.value.code == code


def test_fields_of_a_newer_schema_are_shown_last():
    shown = change_fields("target", {"newer": [1], "name": "Plate", "code": "P"})
    assert [(field.name, field.text, field.mendable) for field in shown] == [
        ("code", "P", True),
        ("name", "Plate", True),
        ("newer", "[1]", False),
    ]
