"""Changes that stations push: what no engine can keep stops nothing else, and what comes at once has one effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from models.audit import AuditEntry
from models.sessions import InspectionSession
from models.states import Role
from models.targets import InspectionItem
from models.users import User
from models.verification import HumanVerification
from server.auth.identity.repository import signed_in as signed_in_as
from server.auth.identity.tokens import TokenKind
from server.auth.service import sign_in
from server.context import ServerContext
from server.core.periods import Period
from server.devices.config import set_config
from server.devices.schemas import StationConfigUpdate
from server.quality.service import statistics
from server.users.schemas import UserCreate
from server.users.service import create_user
from sync.shared.protocol import Outcome
from sync.shared.station_config import StationSettings
from tests.support.pushing import AT, Pushing
from tests.support.serving import PASSWORD, SETUP
from tests.support.sync_stores import signed_in

IMAGE = {"size_bytes": 1, "content_type": "image/png", "width": 1, "height": 1, "captured_at": AT, "sha256": "0" * 64}
POISON: dict[str, Callable[[Pushing, dict[str, Any]], dict[str, Any]]] = {
    "NUL": lambda at, part: at.part(lot="a\0b"),
    "half a character": lambda at, part: at.part(serial_number="\ud800"),
    "half a character as user": lambda at, part: {**at.part(), "user_id": "\ud800"},
    "half a character as id": lambda at, part: {"change_id": "\ud800", "entity": "\ud800", "entity_id": "\ud800"},
    "NaN in a field of a newer schema": lambda at, part: at.part(future={"list": [float("nan")]}),
    "a time before the calendar": lambda at, part: at.part(started_at="0001-01-01T00:00:00+14:00"),
    "a size of more than 64 bits": lambda at, part: at.fact("image", part, **{**IMAGE, "size_bytes": 2**70}),
    "a width of more than 32 bits": lambda at, part: at.fact("image", part, **{**IMAGE, "width": 2**31}),
    "a confidence beyond any float": lambda at, part: at.fact(
        "ai_result", part, overall_result="OK", confidence=10**400
    ),
    "an object as list of detections": lambda at, part: at.fact(
        "ai_result", part, overall_result="OK", confidence=1, detections={"a": 1}
    ),
    "defects without a class": lambda at, part: at.fact(
        "human_verification", part, verdict="NG", defects=[{"bbox": None}]
    ),
    "a defect with another name for its class": lambda at, part: at.fact(
        "human_verification", part, verdict="NG", defects=[{"class_name": "scratch"}]
    ),
    "words as defects": lambda at, part: at.fact("human_verification", part, verdict="NG", defects=["scratch"]),
}


@pytest.mark.parametrize("poison", POISON)
def test_a_change_that_cannot_be_kept_stops_no_other(context: ServerContext, poison: str) -> None:
    station = Pushing(context)
    before, after = station.part(), station.part()
    results = station.push(before, POISON[poison](station, before), after)
    assert [result.outcome for result in results] == [Outcome.APPLIED, Outcome.REJECTED, Outcome.APPLIED]
    problem = results[1].problem
    assert problem is not None
    assert (problem["type"].rpartition("/")[2], problem.get("retry")) == ("sync-change-invalid", None)
    assert statistics(context, Period(None, None)).summary.total_inspections == 0


@pytest.mark.parametrize(
    ("entity", "fields", "status"),
    [
        ("pipeline", {"name": "P", "definition": {"steps": "none"}}, 400),
        ("item", {"name": "I", "criteria": {"threshold": "high"}}, 400),
        ("item", {"name": "I", "pipeline_parameters": {"score": 1}}, 422),
        ("station_config", {"settings": {"retention_days": "never"}}, 400),
    ],
)
def test_a_master_that_its_readers_could_not_use_is_refused(
    context: ServerContext, entity: str, fields: dict[str, Any], status: int
) -> None:
    boss = User(username="boss", role=Role.ADMIN)
    station = Pushing(context, boss)
    with context.database.transaction() as session:
        session.add(signed_in(boss, station.device.id))
    if entity == "item":
        fields = {**fields, "target_id": station.target.id}
    (result,) = station.push(station.change(entity, {"created_at": AT, **fields}, user_id=boss.id))
    assert (result.outcome, result.problem and result.problem["status"]) == (Outcome.REJECTED, status)


def test_a_verification_of_the_vocabulary_is_counted(context: ServerContext) -> None:
    station = Pushing(context)
    part = station.part()
    defect = {"class": "scratch", "bbox": {"x": 1, "y": 2.5, "width": 3, "height": 4}, "severity": "major", "new": 1}
    verified = station.fact("human_verification", part, verdict="NG", defects=[defect])
    assert [result.outcome for result in station.push(part, verified)] == [Outcome.APPLIED] * 2
    assert statistics(context, Period(None, None)).defect_analysis == {"scratch": 1}
    with context.database.read() as session:
        assert session.get_one(HumanVerification, verified["entity_id"]).defects == [defect]


def pushed_refusal(station: Pushing, part: dict[str, Any], fields: dict[str, Any], user: User | None) -> str | None:
    """Push a change of a session on behalf of a user; return the code of the refusal."""
    change = station.change("inspection_session", fields, op="update", user_id=user.id if user else None)
    (result,) = station.push({**change, "entity_id": part["entity_id"]})
    return None if result.problem is None else str(result.problem["type"]).rpartition("/")[2]


def people(station: Pushing, *roles: Role) -> list[User]:
    made = [User(username=f"{role}-{number}", role=role) for number, role in enumerate(roles)]
    with station.context.database.transaction() as session:
        session.add_all(made)
        session.flush()
        session.add_all([signed_in(user, station.device.id) for user in made])
    return made


def test_a_pushed_correction_after_the_end_is_for_those_in_charge(context: ServerContext) -> None:
    station = Pushing(context)
    inspector, supervisor = people(station, Role.INSPECTOR, Role.SUPERVISOR)
    part = station.part(lot="L1", user_id=inspector.id)
    station.push(part)
    for nobody in (inspector, None):
        assert pushed_refusal(station, part, {"lot": "L2"}, nobody) == "session-has-ended"
    assert pushed_refusal(station, part, {"lot": "L2"}, supervisor) is None
    query = select(AuditEntry).where(AuditEntry.action == "session.corrected")
    with context.database.read() as session:
        (entry,) = session.scalars(query)
        assert session.get_one(InspectionSession, part["entity_id"]).lot == "L2"
    assert (entry.actor, entry.detail["changes"]) == (supervisor.username, {"lot": {"old": "L1", "new": "L2"}})


def test_a_lot_set_before_the_end_is_taken_however_late_it_comes(context: ServerContext) -> None:
    station = Pushing(context)
    (inspector,) = people(station, Role.INSPECTOR)
    part = station.part(status="IN_PROGRESS", completed_at=None, user_id=inspector.id)
    labelled = station.change("inspection_session", {"lot": "L"}, op="update", user_id=inspector.id)
    ended = station.change("inspection_session", {"status": "COMPLETED"}, op="update", user_id=inspector.id)
    results = station.push(part, *({**one, "entity_id": part["entity_id"]} for one in (ended, labelled)))
    assert [result.outcome for result in results] == [Outcome.APPLIED] * 3


def test_a_pushed_cancellation_by_a_colleague_is_refused(context: ServerContext) -> None:
    station = Pushing(context)
    inspector, other = people(station, Role.INSPECTOR, Role.INSPECTOR)
    part = station.part(status="IN_PROGRESS", completed_at=None, user_id=inspector.id)
    station.push(part)
    assert pushed_refusal(station, part, {"status": "CANCELLED"}, other) == "session-of-another-user"
    assert pushed_refusal(station, part, {"status": "CANCELLED"}, inspector) is None


def pushing_admin(context: ServerContext) -> tuple[Pushing, User]:
    boss = User(username="boss", role=Role.ADMIN)
    station = Pushing(context, boss)
    with context.database.transaction() as session:
        session.add(signed_in(boss, station.device.id))
    return station, boss


def test_a_user_disabled_by_push_is_signed_out_for_good(context: ServerContext) -> None:
    station, boss = pushing_admin(context)
    worker, _ = create_user(context, SETUP, UserCreate(username="worker", role=Role.INSPECTOR, password=PASSWORD))
    token = context.tokens.read(sign_in(context, "worker", PASSWORD, "-").access_token, TokenKind.ACCESS)
    for active in (False, True):
        change = station.change("user", {"active": active}, user_id=boss.id, op="update", entity_id=worker.id)
        assert station.push(change)[0].outcome is not Outcome.REJECTED
    with context.database.connection() as connection:
        assert signed_in_as(connection, token) is None


def test_the_last_administrator_cannot_be_disabled_by_push(context: ServerContext) -> None:
    station, boss = pushing_admin(context)
    change = station.change("user", {"active": False}, user_id=boss.id, op="update", entity_id=boss.id)
    (result,) = station.push(change)
    assert result.problem is not None
    assert result.problem["type"].rpartition("/")[2] == "last-admin"
    with context.database.read() as session:
        assert session.get_one(User, boss.id).active


def test_ids_in_upper_case_name_the_same_records(context: ServerContext) -> None:
    station = Pushing(context)
    part = station.part()
    image = station.fact("human_verification", part, verdict="OK", username="a", comment="", defects=[])
    shouted = {
        **image,
        "entity_id": image["entity_id"].upper(),
        "change_id": image["change_id"].upper(),
        "fields": {**image["fields"], "session_id": part["entity_id"].upper()},
    }
    assert [result.outcome for result in station.push(part, shouted)] == [Outcome.APPLIED, Outcome.APPLIED]
    assert [result.outcome for result in station.push(image)] == [Outcome.DUPLICATE]


def entries_of(context: ServerContext, subject_id: str) -> list[AuditEntry]:
    with context.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.subject_id == subject_id).order_by(AuditEntry.sequence)
        return list(session.scalars(query))


def test_values_of_unknown_fields_of_a_master_stay_out_of_the_audit_trail(context: ServerContext) -> None:
    station = Pushing(context)
    (boss,) = people(station, Role.ADMIN)
    made = station.change("target", {"created_at": AT, "code": "C", "name": "N", "plc_password": "hidden"})
    later = station.change("target", {"plc_password": "unseen", "name": "M"}, op="update")
    by = {"entity_id": made["entity_id"], "user_id": boss.id}
    results = station.push({**made, **by}, {**later, **by})
    assert [result.outcome for result in results] == [Outcome.APPLIED] * 2
    entries = entries_of(context, made["entity_id"])
    assert [entry.detail["unknown_fields"] for entry in entries] == [["plc_password"]] * 2
    assert entries[1].detail["changes"] == {"name": {"old": "N", "new": "M"}}
    assert not {"hidden", "unseen"} & set(str([entry.detail for entry in entries]).split("'"))


def test_settings_of_a_newer_version_stay_out_of_the_audit_trail(context: ServerContext) -> None:
    station = Pushing(context)
    (boss,) = people(station, Role.ADMIN)
    first = {"language": "en", "plc_password": "hidden"}
    made = station.change("station_config", {"created_at": AT, "settings": first}, user_id=boss.id)
    later = station.change("station_config", {"settings": {**first, "plc_password": "unseen"}}, op="update")
    results = station.push(made, {**later, "entity_id": made["entity_id"], "user_id": boss.id})
    assert [result.outcome for result in results] == [Outcome.APPLIED] * 2
    created, changed = entries_of(context, made["entity_id"])
    assert created.detail["changes"]["settings"] == {"old": None, "new": {"language": "en"}}
    assert (changed.detail["changes"], changed.detail["unknown_fields"]) == ({}, ["settings.plc_password"])
    assert created.detail["unknown_fields"] == ["settings.plc_password"]


def test_settings_of_a_newer_version_that_rest_replaces_stay_out_of_the_audit_trail(context: ServerContext) -> None:
    station = Pushing(context)
    (boss,) = people(station, Role.ADMIN)
    settings = {"language": "en", "plc_password": "hidden"}
    made = station.change("station_config", {"created_at": AT, "settings": settings}, user_id=boss.id)
    assert station.push(made)[0].outcome is Outcome.APPLIED
    set_config(context, SETUP, StationConfigUpdate(settings=StationSettings(language="ja")))
    entry = entries_of(context, made["entity_id"])[-1]
    assert entry.detail["changes"] == {"language": {"old": "en", "new": "ja"}}
    assert entry.detail["unknown_fields"] == ["settings.plc_password"]


def test_an_item_deleted_along_with_a_pushed_target_is_in_the_audit_trail(context: ServerContext) -> None:
    station = Pushing(context)
    item = InspectionItem(target_id=station.target.id, name="Surface")
    (boss,) = people(station, Role.ADMIN)
    with context.database.transaction() as session:
        session.add(item)
    known = station.target.rev
    gone = station.change("target", {"deleted_at": AT}, op="delete", base_rev=known, user_id=boss.id)
    (result,) = station.push({**gone, "entity_id": station.target.id})
    assert result.outcome is Outcome.APPLIED
    (entry,) = entries_of(context, item.id)
    assert (entry.action, entry.actor) == ("item.deleted", boss.username)
    assert entry.detail["changes"]["name"] == {"old": "Surface", "new": None}
