"""Stores of older versions on each engine: what they hold stays readable under the rules of the newest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import MetaData, insert, select

from models.clock import utc_now
from models.database import Database
from models.errors import Conflict
from models.ids import new_id
from models.migrations.upgrade import upgrade
from models.states import Role
from models.targets import DefectClass
from models.users import ApiKey
from server.auth.identity.tokens import TokenKind
from server.auth.service import sign_in
from server.context import ServerContext, open_context
from server.core.paging import PageQuery
from server.core.settings import ServerSettings
from server.masters.kinds import targets
from server.masters.schemas import TargetUpdate
from server.users.schemas import UserCreate
from server.users.service import create_user, list_users
from tests.support.serving import PASSWORD, SETUP

Rows = dict[str, list[dict[str, Any]]]
FIRST = "0001"


def synced(**fields: Any) -> dict[str, Any]:
    now = utc_now()
    return {
        "id": new_id(),
        "created_at": now,
        "updated_at": now,
        "clock": "",
        "extra": {},
        "field_clocks": {},
        **fields,
    }


def user(**fields: Any) -> dict[str, Any]:
    return synced(**{"display_name": "", "role": "admin", "language": "ja", "active": True, **fields})


def target(**fields: Any) -> dict[str, Any]:
    return synced(**{"name": "N", "version": "1", "description": "", **fields})


def fill(database_url: str, revision: str, rows: Rows) -> None:
    """Make a store as the version of ``revision`` left it."""
    database = Database(database_url)
    upgrade(database.engine, revision)
    metadata = MetaData()
    metadata.reflect(database.engine)
    with database.engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(metadata.tables[table]), values)
    database.close()


@pytest.fixture
def digest() -> str:
    """The digest of ``PASSWORD``, as the first version kept it."""
    return PasswordHash((Argon2Hasher(),)).hash(PASSWORD)


@pytest.fixture
def upgraded(database_url: str, tmp_path: Path, digest: str) -> Iterator[ServerContext]:
    """A server on a store of the first version with names that are now one."""
    older, newer, gone = user(username="Admin"), user(username="admin"), user(username="ADMIN", deleted_at=utc_now())
    hidden = user(username="ad\u200fmin2", display_name="Ｙａｍａｄａ")
    fill(
        database_url,
        FIRST,
        {
            "users": [{"deleted_at": None, **one} for one in (older, newer, gone, hidden)],
            "user_credentials": [
                {"user_id": one["id"], "password_digest": digest, "updated_at": utc_now()} for one in (older, newer)
            ],
            "targets": [target(code="P-1", name="older"), target(code="Ｐ－１", name="newer")],
            "defect_classes": [synced(code=code, name_en="a", name_ja="b", severity="major") for code in ("s", "s")],
        },
    )
    context = open_context(ServerSettings(data_dir=tmp_path / "data", database_url=database_url))
    yield context
    context.close()


def test_users_whose_names_became_one_sign_in_by_their_exact_names(upgraded: ServerContext) -> None:
    by_name = {one.username: one.id for one in list_users(upgraded, PageQuery(1, 50, "")).items}
    for name in ("Admin", "admin"):
        token = upgraded.tokens.read(sign_in(upgraded, name, PASSWORD, "-").access_token, TokenKind.ACCESS)
        assert token.subject == by_name[name]


def test_a_name_that_is_neither_of_two_is_that_of_the_older_user(upgraded: ServerContext) -> None:
    by_name = {one.username: one.id for one in list_users(upgraded, PageQuery(1, 50, "")).items}
    token = upgraded.tokens.read(sign_in(upgraded, "ａｄｍｉｎ", PASSWORD, "-").access_token, TokenKind.ACCESS)
    assert token.subject == by_name["Admin"]


def test_no_third_user_takes_the_name_of_two(upgraded: ServerContext) -> None:
    with pytest.raises(Conflict):
        create_user(upgraded, SETUP, UserCreate(username="aDMIN", role=Role.ADMIN, password=PASSWORD))


def test_a_name_that_is_no_longer_allowed_stays_readable(upgraded: ServerContext) -> None:
    (found,) = list_users(upgraded, PageQuery(1, 50, "yamada")).items
    assert found.username == "ad\u200fmin2"


def test_old_codes_that_became_one_can_be_given_apart(upgraded: ServerContext) -> None:
    (older, newer) = targets.page(upgraded, PageQuery(1, 50, "p-1")).items
    assert {older.name, newer.name} == {"older", "newer"}
    assert targets.change(upgraded, SETUP, newer.id, TargetUpdate(description="kept")).code == newer.code
    with pytest.raises(Conflict):
        targets.change(upgraded, SETUP, newer.id, TargetUpdate(code="p-1"))
    assert targets.change(upgraded, SETUP, newer.id, TargetUpdate(code="P-2")).code == "P-2"


def test_equal_codes_of_classes_from_before_keep_the_store_readable(upgraded: ServerContext) -> None:
    with upgraded.database.read() as session:
        first, second = session.scalars(select(DefectClass).order_by(DefectClass.id)).all()
    assert (first.code, second.code) == ("s", "s")
    assert (first.name_key, second.name_key) == ("s", f"s~{second.id}")


def audit_entry(number: int, action: str, subject_id: str, actor: str) -> dict[str, Any]:
    fact = {"id": new_id(), "created_at": utc_now(), "clock": "", "extra": {}, "device_id": "server"}
    digests = {"previous_digest": "0" * 64, "digest": "0" * 64}
    subject = {"subject": "", "subject_id": subject_id, "detail": {}}
    return {**fact, **digests, **subject, "sequence": number, "actor": actor, "action": action}


@pytest.fixture
def keys(database_url: str, tmp_path: Path) -> Iterator[dict[str, ApiKey]]:
    """The keys of a store of the first version after its upgrade, by their makers' names."""
    users = [
        {**user(username="present"), "deleted_at": None},
        {**user(username="disabled", active=False), "deleted_at": None},
        {**user(username="demoted", role="supervisor"), "deleted_at": None},
        user(username="again", deleted_at=utc_now() + timedelta(days=1)),
    ]
    made = {name: new_id() for name in ("present", "disabled", "demoted", "again", "admin-command", "")}
    entries = [audit_entry(number, "key.created", made[name], name) for number, name in enumerate(made, 1) if name]
    rows = [
        {"id": key, "name": f"of {name}", "role": "integrator", "key_digest": key, "created_at": utc_now()}
        for name, key in made.items()
    ]
    fill(database_url, FIRST, {"users": users, "audit_entries": entries, "api_keys": rows})
    context = open_context(ServerSettings(data_dir=tmp_path / "data", database_url=database_url))
    with context.database.read() as session:
        yield {key.created_by: key for key in session.scalars(select(ApiKey))}
    context.close()


def test_keys_of_before_name_the_maker_that_the_audit_trail_has(keys: dict[str, ApiKey]) -> None:
    assert set(keys) == {"present", "disabled", "demoted", "again", "admin-command", ""}
    assert keys["present"].created_by_id is not None
    assert keys[""].created_by_id is None


def test_keys_of_before_are_revoked_where_their_maker_is_no_administrator(keys: dict[str, ApiKey]) -> None:
    revoked = {name for name, key in keys.items() if key.revoked_at is not None}
    assert revoked == {"disabled", "demoted", "again"}
