"""Backup and restore of a server's data."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from models.audit import AuditEntry, verify_audit
from models.errors import UserFacingError
from models.targets import Target
from server.change_log.generation import generation
from server.context import open_context
from server.core.release_keys import RELEASE_KEY_FILE, public_key
from server.core.settings import ServerSettings
from server.core.signing_key import SECRET_FILE
from server.process.backup import back_up_server, mark_restored, restore_server
from server.process.listening import alone

pytestmark = pytest.mark.slow
DATA = b"bytes of an object"


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    """Of a server with a target and an object, whose backup is in ``backup``."""
    made = ServerSettings(data_dir=tmp_path / "data")
    add_target(made, "BEFORE")
    back_up_server(made, tmp_path / "backup")
    return made


def add_target(settings: ServerSettings, code: str) -> None:
    context = open_context(settings)
    with context.database.transaction() as session:
        session.add(Target(code=code, name=code))
    context.objects.put(digest(), DATA)
    context.close()


def digest() -> str:
    from models.storage import sha256_of

    return sha256_of(DATA)


@pytest.fixture
def opened(settings: ServerSettings) -> Iterator[Callable]:
    made = []

    def again(which: ServerSettings = settings):
        made.append(open_context(which))
        return made[-1]

    yield again
    for context in made:
        context.close()


def codes(context) -> list[str]:
    with context.database.read() as session:
        return list(session.scalars(select(Target.code).order_by(Target.code)))


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(UserFacingError) as caught:
        work()
    return caught.value.code


def test_a_restored_server_holds_what_the_backup_held(settings, opened, tmp_path):
    add_target(settings, "LATER")
    restore_server(settings, tmp_path / "backup")
    assert codes(opened()) == ["BEFORE"]


def test_a_restore_begins_a_new_generation(settings, opened, tmp_path):
    first = mark_restored(settings)
    restore_server(settings, tmp_path / "backup")
    with opened().database.read() as session:
        assert generation(session) not in {"", first}


def test_a_backup_restored_twice_has_two_generations(settings, opened, tmp_path):
    found = []
    for _ in range(2):
        restore_server(settings, tmp_path / "backup")
        context = open_context(settings)
        with context.database.read() as session:
            found.append(generation(session))
        context.close()
    assert len(set(found)) == 2


def test_the_mark_begins_a_new_generation(settings):
    assert mark_restored(settings) != mark_restored(settings)


def test_a_restore_is_in_the_audit_trail(settings, opened, tmp_path):
    restore_server(settings, tmp_path / "backup")
    with opened().database.read() as session:
        assert (
            session.scalars(select(AuditEntry).where(AuditEntry.action == "server.restored")).one().detail["backup_of"]
        )
        assert verify_audit(session) == []


def test_the_objects_come_back_on_another_machine(settings, opened, tmp_path):
    elsewhere = ServerSettings(data_dir=tmp_path / "elsewhere")
    restore_server(elsewhere, tmp_path / "backup")
    assert opened(elsewhere).objects.read(digest()) == DATA


def test_the_key_that_signs_tokens_is_left_out(settings, tmp_path):
    assert not (tmp_path / "backup" / SECRET_FILE).exists()


def test_the_key_that_signs_tokens_is_taken_by_choice(settings, tmp_path):
    back_up_server(settings, tmp_path / "with", with_secret=True)
    restore_server(ServerSettings(data_dir=tmp_path / "elsewhere"), tmp_path / "with")
    kept = tmp_path / "elsewhere" / SECRET_FILE
    assert kept.read_bytes() == (settings.data_dir / SECRET_FILE).read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_key_that_signs_releases_is_taken_by_choice(settings, tmp_path):
    key = public_key(settings)
    back_up_server(settings, tmp_path / "without")
    back_up_server(settings, tmp_path / "with", with_secret=True)
    assert not (tmp_path / "without" / RELEASE_KEY_FILE).exists()
    elsewhere = ServerSettings(data_dir=tmp_path / "elsewhere")
    restore_server(elsewhere, tmp_path / "with")
    assert public_key(elsewhere) == key


def test_the_former_database_is_kept(settings, tmp_path):
    _, kept = restore_server(settings, tmp_path / "backup")
    assert kept.is_file()


def test_a_running_server_is_not_restored(settings, tmp_path):
    with alone(settings):
        assert refusal(lambda: restore_server(settings, tmp_path / "backup")) == "server-running"


def test_a_server_at_work_is_backed_up(settings, opened, tmp_path):
    context = opened()
    with context.database.transaction() as session:
        session.add(Target(code="UNFINISHED", name="n"))
        session.flush()
        back_up_server(settings, tmp_path / "beside")
    elsewhere = ServerSettings(data_dir=tmp_path / "elsewhere")
    restore_server(elsewhere, tmp_path / "beside")
    assert codes(opened(elsewhere)) == ["BEFORE"]


def test_a_postgresql_database_is_backed_up_by_its_own_means(tmp_path):
    settings = ServerSettings(data_dir=tmp_path, database_url="postgresql+psycopg://localhost/imageflow")
    assert refusal(lambda: back_up_server(settings, tmp_path / "out")) == "backup-postgresql"


def test_an_object_store_of_its_own_is_named_in_the_manifest(settings, tmp_path, monkeypatch):
    elsewhere = settings.model_copy(update={"objects_url": "s3://bucket/prefix"})
    assert back_up_server(elsewhere, tmp_path / "s3").objects_elsewhere


def test_a_folder_without_a_server_has_no_backup(tmp_path):
    assert (
        refusal(lambda: back_up_server(ServerSettings(data_dir=tmp_path / "none"), tmp_path / "o")) == "server-no-store"
    )
