"""``imageflow data backup``, ``restore`` and ``verify`` of a server as a person or a script uses them."""

from __future__ import annotations

import json

import pytest

from server.context import open_context
from server.core.settings import ServerSettings
from server.objects.records import record_blob
from tests.support.command import run
from tests.support.messages import says
from tests.support.newest_schema import newest_store

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "station.sqlite3").write_bytes(newest_store())
    return folder


@pytest.fixture
def data_dir(tmp_path):
    open_context(ServerSettings(data_dir=tmp_path / "data")).close()
    return tmp_path / "data"


def test_a_stations_backup_is_restored(capsys, store, tmp_path):
    assert run(capsys, "data", "backup", "--store", store, "--out", tmp_path / "b")[0] == 0
    code, out, _ = run(capsys, "data", "restore", tmp_path / "b", "--store", store, "--json")
    assert (code, json.loads(out)["restored"]) == (0, str(store))


def test_a_servers_backup_is_restored(capsys, data_dir, tmp_path):
    code, out, _ = run(capsys, "data", "backup", "--data-dir", data_dir, "--out", tmp_path / "b", "--json")
    assert (code, json.loads(out)["kind"]) == (0, "server")
    code, out, _ = run(capsys, "data", "restore", tmp_path / "b", "--data-dir", data_dir, "--json")
    assert (code, json.loads(out)["restored"]) == (0, str(data_dir))


def test_the_mark_names_the_new_generation(capsys, data_dir):
    code, out, _ = run(capsys, "data", "restore", "--mark", "--data-dir", data_dir, "--json")
    assert (code, list(json.loads(out))) == (0, ["generation"])


def test_a_store_is_marked_as_restored(capsys, store):
    code, out, _ = run(capsys, "data", "restore", "--mark", "--store", store, "--json")
    assert (code, json.loads(out)) == (0, {"marked": str(store)})


@pytest.mark.parametrize("arguments", [(), ("backup-folder", "--mark")])
def test_a_restore_needs_either_a_backup_or_the_mark(capsys, store, arguments):
    assert run(capsys, "data", "restore", *arguments, "--store", store)[0] == 2


def test_a_backup_is_of_one_side(capsys, store, data_dir, tmp_path):
    arguments = ("--store", store, "--data-dir", data_dir, "--out", tmp_path / "b")
    assert run(capsys, "data", "backup", *arguments)[0] == 2


def test_a_servers_data_are_verified(capsys, data_dir):
    code, out, _ = run(capsys, "data", "verify", "--data-dir", data_dir, "--json")
    (report,) = json.loads(out)["stores"]
    assert (code, report["store"], report["consistent"]) == (0, str(data_dir), True)


def test_damage_of_a_servers_data_ends_with_1(capsys, data_dir):
    context = open_context(ServerSettings(data_dir=data_dir))
    with context.database.local_transaction() as session:
        record_blob(session, "a" * 64, 3, "image/png")
    context.close()
    code, _, err = run(capsys, "data", "verify", "--data-dir", data_dir)
    assert code == 1
    assert says(err, "finding-object", sha256="a" * 64, reason="missing")


def test_a_damaged_file_of_a_server_is_set_aside_when_asked(capsys, data_dir):
    context = open_context(ServerSettings(data_dir=data_dir))
    context.objects.put("a" * 64, b"bad")
    with context.database.local_transaction() as session:
        record_blob(session, "a" * 64, 3, "image/png")
    context.close()
    code, _, err = run(capsys, "data", "verify", "--data-dir", data_dir, "--set-aside")
    assert code == 1
    assert says(err, "finding-object-set-aside", sha256="a" * 64, reason="wrong-digest")


def test_nothing_of_a_station_is_set_aside(capsys, store):
    assert run(capsys, "data", "verify", "--store", store, "--set-aside")[0] == 2


def test_a_check_is_of_one_side(capsys, store, data_dir):
    assert run(capsys, "data", "verify", "--store", store, "--data-dir", data_dir)[0] == 2
