"""``imageflow server`` and ``imageflow admin``: wrong settings, trouble at the start, users and keys."""

from __future__ import annotations

import io
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.command_line import main
from server.core.settings import ServerSettings
from tests.support.messages import says
from tests.support.serving import PASSWORD


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Here:
    """Runs a command in this process, as its own start would."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: object, given: str = "", **extra: str) -> Ended:
        self.monkeypatch.setattr("sys.stdin", io.StringIO(given))
        for name, value in extra.items():
            self.monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        reported = self.capsys.readouterr()
        return Ended(int(ended.value.code or 0), reported.out, reported.err)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Here]:
    for name in [name for name in os.environ if name.startswith("IMAGEFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    mask = os.umask(0)
    os.umask(mask)
    yield Here(monkeypatch, capsys)
    os.umask(mask)


@pytest.mark.parametrize(
    ("arguments", "extra", "words"),
    [
        (["--host", "0.0.0.0"], {}, "--insecure"),  # noqa: S104 - refused
        (["--host", "no.such.host.invalid", "--insecure"], {}, "--host"),
        (["--tls-cert", "missing.pem", "--tls-key", "missing.key"], {}, "Certificate"),
        (["--tls-cert", "server.pem"], {}, "--tls-key"),
        ([], {"IMAGEFLOW_SERVER_JWT_SECRET": "short-secret"}, "IMAGEFLOW_SERVER_JWT_SECRET"),
        ([], {"IMAGEFLOW_SERVER_CORS_ORIGINS": '["*"]'}, "IMAGEFLOW_SERVER_CORS_ORIGINS"),
        ([], {"IMAGEFLOW_SERVER_CORS_ORIGINS": "not json"}, "IMAGEFLOW_SERVER_"),
        ([], {"IMAGEFLOW_SERVER_DATABASE_URL": "mysql://u:p4ss@h/x"}, "DATABASE_URL"),
        ([], {"IMAGEFLOW_SERVER_OBJECTS_URL": "nonsense://x"}, "OBJECTS_URL"),
        (["--port", "70000"], {}, "65535"),
    ],
)
def test_a_wrong_setting_ends_with_2_saying_what_to_do(
    here: Here, tmp_path: Path, arguments: list[str], extra: dict[str, str], words: str
) -> None:
    ended = here.run("server", "--data-dir", tmp_path, *arguments, **extra)
    assert ended.code == 2, ended.err
    assert words in ended.err
    assert "Traceback" not in ended.err
    assert not [value for value in ("short-secret", "p4ss") if value in ended.err]


def test_a_port_in_use_ends_with_1_naming_the_port(here: Here, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = here.run("server", "--data-dir", tmp_path, "--port", port, LC_ALL="ja_JP.UTF-8")
    assert ended.code == 1
    assert says(ended.err, "server-port-taken", "ja", port=port)
    assert "Traceback" not in ended.err


def test_a_damaged_database_stays_as_it_is_when_the_server_refuses_it(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "server.sqlite3"
    path.write_bytes(b"this is not a database" * 1_000)
    ended = here.run("server", "--data-dir", tmp_path, "--port", "0")
    assert ended.code == 1
    assert says(ended.err, "store-damaged", member="title")
    assert path.read_bytes() == b"this is not a database" * 1_000


def test_a_locked_database_ends_with_1_saying_that_it_is_busy(here: Here, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "server.sqlite3", isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        ended = here.run("server", "--data-dir", tmp_path, "--port", "0")
    finally:
        connection.close()
    assert ended.code == 1
    assert says(ended.err, "store-locked", member="title")


@pytest.mark.slow
def test_the_server_is_administered_from_the_command_line(here: Here, tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path)
    for name, role in (("boss", "admin"), ("worker", "inspector")):
        assert (
            here.run("admin", "users", "add", name, "--role", role, "--password-stdin", *data, given=PASSWORD).code == 0
        )
    assert here.run("admin", "users", "disable", "worker", *data).code == 0
    listed = [json.loads(line) for line in here.run("admin", "users", "list", *data, "--json").out.splitlines()]
    users = {user["username"]: user["active"] for user in listed}
    assert users == {"boss": True, "worker": False}
    last = here.run("admin", "users", "disable", "boss", *data)
    assert (last.code, says(last.err, "last-admin")) == (1, True)
    key = json.loads(here.run("admin", "keys", "create", "mes", "--role", "integrator", *data, "--json").out)
    assert here.run("admin", "keys", "revoke", key["id"], *data).code == 0
    listed = [json.loads(line) for line in here.run("admin", "keys", "list", *data, "--json").out.splitlines()]
    assert [(entry["id"], entry["revoked_at"] is None, "key" in entry) for entry in listed] == [
        (key["id"], False, False)
    ]
    wrong = here.run("admin", "users", "add", "x", "--role", "king", "--password-stdin", *data, given=PASSWORD)
    assert (wrong.code, "Traceback" in wrong.err) == (2, False)
    assert here.run("admin", "devices", "disable", "nothing", *data).code == 1


@pytest.mark.parametrize(
    "command",
    [
        ("users", "list"),
        ("users", "disable", "boss"),
        ("users", "password", "boss", "--password-stdin"),
        ("devices", "list"),
        ("devices", "disable", "some"),
        ("devices", "enable", "some"),
        ("codes", "create"),
        ("codes", "list"),
        ("codes", "withdraw", "some"),
        ("keys", "create", "mes", "--role", "integrator"),
        ("keys", "list"),
        ("keys", "revoke", "some"),
    ],
)
def test_a_folder_without_a_server_is_refused_without_making_it(
    here: Here, tmp_path: Path, command: tuple[str, ...]
) -> None:
    folder = tmp_path / "mistyped"
    ended = here.run("admin", *command, "--data-dir", folder, given=PASSWORD)
    assert (ended.code, ended.out) == (1, "")
    assert str(folder) in ended.err
    assert not folder.exists()


def test_a_code_is_listed_until_it_is_withdrawn_at_the_command_line(here: Here, tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path)
    add = ("admin", "users", "add", "boss", "--role", "admin", "--password-stdin")
    assert here.run(*add, *data, given=PASSWORD).code == 0
    code = json.loads(here.run("admin", "codes", "create", "Line 1", *data, "--json").out)
    assert here.run("admin", "codes", "withdraw", code["id"], *data).code == 0
    listed = here.run("admin", "codes", "list", *data, "--json").out
    (entry,) = map(json.loads, listed.splitlines())
    assert (entry["device_name"], entry["created_by"]) == ("Line 1", "admin-command")
    assert entry["withdrawn_at"] is not None
    assert code["code"] not in listed
    assert here.run("admin", "codes", "withdraw", "nothing", *data).code == 1


@pytest.mark.parametrize(("name", "password"), [("ad\u200fmin", PASSWORD), ("ad min", PASSWORD), ("boss", "        ")])
def test_an_unclear_name_or_a_blank_password_ends_with_2(here: Here, tmp_path: Path, name: str, password: str) -> None:
    command = ("admin", "users", "add", name, "--role", "admin", "--password-stdin", "--data-dir", tmp_path)
    assert here.run(*command, given=password).code == 2


def test_only_the_first_user_reports_that_the_store_was_made(here: Here, tmp_path: Path) -> None:
    def add(name: str) -> Ended:
        command = ("admin", "users", "add", name, "--role", "admin", "--password-stdin")
        return here.run(*command, "--data-dir", tmp_path / "new", given=PASSWORD)

    folder = tmp_path / "new"
    first = add("boss")
    assert (len(first.err.splitlines()), str(folder) in first.err) == (1, True)
    assert (folder / "server.sqlite3").is_file()
    assert add("second").err == ""


def test_a_refused_password_makes_no_store(here: Here, tmp_path: Path) -> None:
    command = ("admin", "users", "add", "boss", "--role", "admin", "--password-stdin", "--data-dir", tmp_path / "new")
    ended = here.run(*command, given="short")
    assert (ended.code, says(ended.err, "password-too-short")) == (2, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "options", "named"),
    [
        ("boss", ("--role", "king"), "--role"),
        ("boss", ("--role", "admin", "--language", "xx"), "--language"),
        ("boss", ("--role", "admin", "--display-name", "a\x00"), "--display-name"),
        ("ad min", ("--role", "admin"), "NAME"),
    ],
)
def test_a_user_is_refused_by_the_options_name_before_the_password_is_read(
    here: Here, tmp_path: Path, name: str, options: tuple[str, ...], named: str
) -> None:
    ended = here.run(
        "admin", "users", "add", name, *options, "--password-stdin", "--data-dir", tmp_path, given=PASSWORD
    )
    assert (ended.code, named in ended.err) == (2, True)
    assert sys.stdin.read() == PASSWORD


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has its terminal apart from sessions")
def test_without_a_terminal_the_password_is_asked_for_on_standard_input(tmp_path: Path) -> None:
    command = ("admin", "users", "add", "boss", "--role", "admin", "--data-dir", str(tmp_path / "new"))
    ended = subprocess.run(
        [sys.executable, "-m", "app", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    assert (ended.returncode, "--password-stdin" in ended.stderr) == (2, True)
    assert "GetPassWarning" not in ended.stderr
    assert not (tmp_path / "new").exists()


def test_a_list_of_records_begins_with_its_columns(here: Here, tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path)
    here.run("admin", "users", "add", "boss", "--role", "admin", "--password-stdin", *data, given=PASSWORD)
    header, row = here.run("admin", "users", "list", *data).out.splitlines()
    assert header.split() == ["username", "role", "active", "display_name"]
    assert row.split() == ["boss", "admin", "True"]
    assert header.index("role") == row.index("admin")
    for group in ("codes", "keys", "devices"):
        empty = here.run("admin", group, "list", *data)
        assert (len(empty.out.splitlines()), says(empty.err, "list-empty")) == (1, True)


def test_every_setting_is_in_the_manual_with_its_description() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "server.md").read_text(encoding="utf-8")
    for name, setting in ServerSettings.model_fields.items():
        assert f"| `IMAGEFLOW_SERVER_{name.upper()}` | {setting.description} |" in manual


def test_daily_counts_are_built_again_from_the_command_line(here: Here, tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path / "data")
    assert (
        here.run("admin", "users", "add", "boss", "--role", "admin", "--password-stdin", *data, given=PASSWORD).code
        == 0
    )
    assert here.run("admin", "statistics", "rebuild", *data).out == "0 sessions counted\n"
    ended = here.run("admin", "statistics", "verify", *data, "--json")
    assert json.loads(ended.out) == {"sessions": 0, "rows": 0, "different": 0}


def test_daily_counts_that_differ_from_the_sessions_end_with_1(here: Here, tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path / "data")
    assert (
        here.run("admin", "users", "add", "boss", "--role", "admin", "--password-stdin", *data, given=PASSWORD).code
        == 0
    )
    with closing(sqlite3.connect(tmp_path / "data" / "server.sqlite3")) as store:
        store.execute("INSERT INTO daily_scores VALUES ('2026-03-01', 'i', 's', 1, 1, 1)")
        store.commit()
    assert here.run("admin", "statistics", "verify", *data).code == 1


def test_the_key_of_webhooks_is_shown_as_it_is_kept(here: Here, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    data = ("--data-dir", folder)
    here.run("admin", "users", "add", "boss", "--role", "admin", "--password-stdin", *data, given=PASSWORD)
    shown = here.run("admin", "alerts", "webhook-key", *data).out.strip()
    assert shown == (folder / "webhook.key").read_text(encoding="ascii")
    assert (folder / "webhook.key").stat().st_mode & 0o077 == 0


def test_a_key_is_limited_to_a_part_of_the_api(here: Here, tmp_path: Path) -> None:
    data = ("--data-dir", tmp_path)
    here.run("admin", "users", "add", "boss", "--role", "admin", "--password-stdin", *data, given=PASSWORD)
    create = ("admin", "keys", "create", "plc", "--role", "integrator")
    made = json.loads(here.run(*create, "--scope", "anomaly:score", *data, "--json").out)
    assert made["scopes"] == ["anomaly:score"]
    assert "anomaly:score" in here.run("admin", "keys", "list", *data).out
    assert here.run(*create, "--scope", "everything", *data).code == 2
