"""``imageflow sync`` as a person or a script uses it."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import keyring
import keyring.backends.fail
import pytest
from sqlalchemy import select

from app.command_line import main
from app.station.settings import load_settings
from models.clock import HybridLogicalClock, rfc3339
from models.database import Database
from models.errors import Unavailable
from models.ids import new_id
from models.states import OutboxState
from models.sync import OutboxEntry, SyncConflict
from models.targets import InspectionItem, Target
from sync.station.hold import Hold
from sync.station.outbox import OutboxRecorder
from sync.station.state import (
    DEVICE_ID,
    DRIFT_FOUND,
    DUE_AT,
    FORKED_AT,
    LAST_SUCCESS,
    REVOKED_AT,
    SENT_AGAIN,
    SERVER_URL,
    STORE_RESTORED,
    set_value,
)
from sync.station.status import record_failure
from tests.support.full_disk import largest_file
from tests.support.keyrings import Keys
from tests.support.messages import says
from tests.support.real_server import ServerProcess
from tests.support.sync_stores import masters, migrated, signed_in


@dataclass
class Done:
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def imageflow(monkeypatch, capsys):
    """Run ``imageflow sync`` in this process, on a system without a keyring."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "en")

    def run(*arguments: str, given: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        code = 0
        try:
            main(["sync", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        stated = capsys.readouterr()
        return Done(code, stated.out, stated.err)

    yield run
    keyring.set_keyring(before)


@pytest.fixture
def server(tmp_path):
    made = ServerProcess(tmp_path / "server")
    made.database().close()
    yield made
    made.stop()


@pytest.fixture
def enrolled(tmp_path):
    """The store of a station whose server does not answer."""
    folder = tmp_path / "store"
    folder.mkdir()
    database = migrated(folder / "station.sqlite3", OutboxRecorder(HybridLogicalClock("one")))
    with database.transaction() as session:
        set_value(session, DEVICE_ID, new_id())
        set_value(session, SERVER_URL, "http://127.0.0.1:9")
    database.close()
    return folder


@pytest.mark.slow
def test_a_dead_letter_can_be_mended_from_the_command_line(tmp_path, server, imageflow):
    device_id, credential = server.add_device("one")
    user, target, item = masters()
    server.add(user, target, item, signed_in(user, device_id))
    server.start()
    folder = tmp_path / "store"
    folder.mkdir()
    database = migrated(folder / "station.sqlite3", OutboxRecorder(HybridLogicalClock(device_id)))
    with database.transaction() as session:
        set_value(session, DEVICE_ID, device_id)
        set_value(session, SERVER_URL, server.url)
    with database.transaction(actor=user.id) as session:
        session.add(Target(code=target.code, name="same code"))
    database.close()
    store = ["--store", str(folder)]

    done = imageflow("--once", *store, "--json", "--credential-stdin", given=credential + "\n")
    assert done.returncode == 1, "a refused change is a failure a script can see"
    report = json.loads(done.stdout)
    assert (report["dead"], report["full_resync"]) == (1, True)

    status = json.loads(imageflow("status", *store, "--json").stdout)
    assert (status["dead"], status["waiting"], status["server"]) == (1, 0, server.url)
    letter = json.loads(imageflow("dead-letters", "list", *store, "--json").stdout)
    assert letter["code"] == "sync-not-unique"
    out = tmp_path / "refused.jsonl"
    assert imageflow("dead-letters", "export", *store, "--out", str(out)).returncode == 0
    assert json.loads(out.read_text(encoding="utf-8"))["change_id"] == letter["change_id"]

    shown = imageflow("dead-letters", "show", letter["change_id"], *store).stdout
    assert "* code" in shown
    assert letter["code"] in shown

    wrong = imageflow("dead-letters", "resend", letter["change_id"], *store, "--set", "colour=1")
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
    mended = imageflow("dead-letters", "resend", letter["change_id"], *store, "--set", "code=OTHER")
    assert mended.returncode == 0, mended.stderr
    again = imageflow(*store, "--credential-stdin", given=credential + "\n")
    assert again.returncode == 0, again.stderr
    assert re.findall(r"\d+", again.stdout)[:1] == ["2"], "the mended change and its audit entry"
    assert imageflow("dead-letters", "list", *store, "--json").stdout == ""
    status = json.loads(imageflow("status", *store, "--json").stdout)
    assert (status["dead"], status["waiting"], status["pending"]) == (0, 0, {})
    database = server.database()
    with database.read() as session:
        assert session.get_one(Target, letter["entity_id"]).code == "OTHER"
    database.close()


@pytest.mark.slow
def test_a_wrong_credential_on_the_command_line_leaves_the_kept_one(tmp_path, server, imageflow):
    keyring.set_keyring(Keys())
    device_id, credential = server.add_device("one")
    server.start()
    folder = tmp_path / "store"
    folder.mkdir()
    database = migrated(folder / "station.sqlite3", OutboxRecorder(HybridLogicalClock(device_id)))
    with database.transaction() as session:
        set_value(session, DEVICE_ID, device_id)
        set_value(session, SERVER_URL, server.url)
    database.close()
    once = ["--once", "--store", str(folder)]
    assert imageflow(*once, "--credential-stdin", given=credential + "\n").returncode == 0
    assert imageflow(*once, "--credential-stdin", given="oops\n").returncode == 1
    again = imageflow(*once)
    assert again.returncode == 0, again.stderr


@pytest.fixture
def refused(enrolled):
    """The store of a station with two refused changes; returns it with their ids."""
    database = Database.at(enrolled / "station.sqlite3", OutboxRecorder(HybridLogicalClock("one")))
    with database.transaction() as session:
        session.add_all([Target(code="A", name="a"), Target(code="B", name="b")])
    with database.transaction() as session:
        entries = session.scalars(select(OutboxEntry).order_by(OutboxEntry.sequence)).all()
        for entry, code in zip(entries, ("sync-not-unique", "sync-user-not-here"), strict=True):
            entry.state, entry.last_error = OutboxState.DEAD, code
        identifiers = [entry.change_id for entry in entries]
    database.close()
    return enrolled, identifiers


def test_all_refused_changes_of_a_cause_are_sent_again_from_the_command_line(refused, imageflow):
    folder, (kept, again) = refused
    store = ["--store", str(folder)]
    done = imageflow("dead-letters", "resend", "--all", "--code", "sync-user-not-here", *store)
    assert done.returncode == 0, done.stderr
    left = [
        json.loads(line)["change_id"]
        for line in imageflow("dead-letters", "list", *store, "--json").stdout.splitlines()
    ]
    assert left == [kept]
    assert again not in left


def test_a_refused_change_is_dropped_only_after_a_yes(refused, imageflow):
    folder, (change_id, _) = refused
    drop = ["dead-letters", "drop", change_id, "--reason", "a slip", "--store", str(folder)]
    assert imageflow(*drop).returncode == 2, "nobody can be asked"
    assert imageflow(*drop, "--yes").returncode == 0
    assert imageflow(*drop, "--yes").returncode == 1, "it is gone"


def test_what_goes_with_a_refused_change_is_told_when_it_is_dropped(refused, imageflow):
    folder, (change_id, _) = refused
    database = Database.at(folder / "station.sqlite3", OutboxRecorder(HybridLogicalClock("one")))
    with database.transaction() as session:
        entry = session.scalars(select(OutboxEntry).where(OutboxEntry.change_id == change_id)).one()
        session.add(InspectionItem(target_id=entry.entity_id, name="Front"))
    database.close()
    done = imageflow("dead-letters", "drop", change_id, "--reason", "a slip", "--store", str(folder), "--yes")
    assert done.returncode == 0, done.stderr
    assert "1 item" in done.stderr
    status = json.loads(imageflow("status", "--store", str(folder), "--json").stdout)
    assert status["pending"] == {"audit_entry": 2}


@pytest.mark.parametrize(
    "arguments", [(), ("some-id", "--all"), ("--all", "--set", "code=1"), ("some-id", "--code", "sync-not-unique")]
)
def test_options_of_resend_that_exclude_each_other_are_wrong_usage(enrolled, imageflow, arguments):
    assert imageflow("dead-letters", "resend", *arguments, "--store", str(enrolled)).returncode == 2


def test_a_store_that_is_not_there_ends_with_1(tmp_path, imageflow):
    missing = imageflow("status", "--store", str(tmp_path / "nothing"))
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr


def test_a_station_not_enrolled_ends_with_1(tmp_path, imageflow):
    folder = tmp_path / "store"
    folder.mkdir()
    migrated(folder / "station.sqlite3", OutboxRecorder(HybridLogicalClock("x"))).close()
    fresh = imageflow("--store", str(folder))
    assert fresh.returncode == 1
    assert "Traceback" not in fresh.stderr
    unknown = imageflow("dead-letters", "drop", "no-such", "--reason", "r", "--store", str(folder))
    assert unknown.returncode == 1
    assert imageflow("dead-letters", "drop", "no-such").returncode == 2


@pytest.mark.parametrize("option", [[], ["--credential-stdin"]])
def test_a_credential_that_is_missing_is_asked_for_by_its_option(enrolled, imageflow, option):
    refused = imageflow("--store", str(enrolled), *option, given="\n")
    assert refused.returncode == 1
    assert says(refused.stderr, "sync-credential-not-given")
    assert "--credential-stdin" in refused.stderr


@pytest.mark.parametrize(
    ("command", "expected"), [(("dead-letters", "list"), "no-refused-changes"), (("conflicts",), "no-lost-edits")]
)
def test_an_empty_list_is_reported_beside_the_output(enrolled, imageflow, command, expected):
    shown = imageflow(*command, "--store", str(enrolled))
    assert (shown.returncode, shown.stdout) == (0, "")
    assert says(shown.stderr, expected)
    assert imageflow(*command, "--store", str(enrolled), "--json").stderr == ""


def test_a_conflict_says_which_person_or_time_is_not_known(enrolled, imageflow):
    database = migrated(enrolled / "station.sqlite3", OutboxRecorder(HybridLogicalClock("x")))
    lost = SyncConflict(
        entity="target",
        entity_id=new_id(),
        field="name",
        change_id=new_id(),
        kept_value="Plate",
        kept_clock="",
        kept_by="line 2",
        kept_user="",
        lost_value="Lid",
        lost_clock="1750000000000-0001-x",
        lost_by="sato, line 1",
        lost_user="sato",
    )
    with database.local_transaction() as session:
        session.add(lost)
    database.close()
    store = ["--store", str(enrolled)]
    mine, theirs = imageflow("conflicts", *store).stdout.splitlines()[1:3]
    assert mine.endswith("Lid  (sato, line 1, 2025-06-15T15:06:40.000Z)")
    assert theirs.endswith("Plate  (person not known, line 2, time not known)")
    found = json.loads(imageflow("conflicts", *store, "--json").stdout)
    assert (found["mine"]["has_user"], found["theirs"]["has_user"]) == (True, False)


def test_the_status_counts_what_waits_by_kind(refused, imageflow):
    folder, _ = refused
    store = ["--store", str(folder)]
    assert imageflow("dead-letters", "resend", "--all", *store).returncode == 0
    status = json.loads(imageflow("status", *store, "--json").stdout)
    assert status["pending"] == {"audit_entry": 1, "target": 2}
    assert (status["dead"], status["blobs_waiting"], status["blob_bytes"]) == (0, 0, 0)
    assert (status["cursor"], status["generation"], status["next_pass"], status["releases"]) == (None, None, None, [])
    assert (status["interval_s"], status["held"]) == (30.0, "nothing")
    assert status["disk_free_bytes"] > 0


@pytest.mark.parametrize(("language", "word"), [("en", "last success"), ("ja", "最終成功")])
def test_the_status_is_printed_in_the_users_language(enrolled, imageflow, monkeypatch, language, word):
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", language)
    assert word in imageflow("status", "--store", str(enrolled)).stdout


def test_the_status_has_why_passes_fail(enrolled, imageflow):
    store = ["--store", str(enrolled)]
    before = json.loads(imageflow("status", *store, "--json").stdout)
    assert (before["failing_since"], before["last_error"]) == (None, None)
    assert imageflow(*store, "--credential-stdin", given="secret\n").returncode == 1
    status = json.loads(imageflow("status", *store, "--json").stdout)
    assert status["last_error"]["code"] == "server-unreachable"
    shown = imageflow("status", *store).stdout
    assert status["failing_since"] in shown
    assert status["last_error"]["detail"] in shown


def test_images_wait_when_a_person_says_so(imageflow, tmp_path):
    for hold in (Hold.IMAGES, Hold.NOTHING):
        assert imageflow("hold", hold.value, "--store", str(tmp_path)).returncode == 0
        assert load_settings(tmp_path).sync_hold is hold
    assert imageflow("hold", "verdicts", "--store", str(tmp_path)).returncode == 2


@pytest.mark.parametrize(("link", "metered"), [("always", True), ("never", False), ("auto", None)])
def test_a_person_says_whether_the_link_counts_as_metered(enrolled, imageflow, link, metered):
    assert imageflow("metered", link, "--store", str(enrolled)).returncode == 0
    status = json.loads(imageflow("status", "--store", str(enrolled), "--json").stdout)
    assert status["link"] == {"counts_as_metered": link, "metered": metered}


def test_every_time_of_the_status_has_one_form(enrolled, imageflow):
    moment = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
    database = migrated(enrolled / "station.sqlite3", OutboxRecorder(HybridLogicalClock("one")))
    found = {"at": moment.isoformat(), "places": ["image 2026-03-01"], "count": 1}
    again = {"at": moment.isoformat(), "records": 1, "blobs": 1}
    with database.transaction() as session:
        for key in (LAST_SUCCESS, DUE_AT, STORE_RESTORED, FORKED_AT, REVOKED_AT):
            set_value(session, key, rfc3339(moment))
        set_value(session, DRIFT_FOUND, json.dumps(found))
        set_value(session, SENT_AGAIN, json.dumps(again))
    record_failure(database, Unavailable("server-unreachable", server="s"))
    database.close()
    status = json.loads(imageflow("status", "--store", str(enrolled), "--json").stdout)
    times = [status[name] for name in ("last_success", "next_pass", "failing_since")]
    times += [status["store"][name] for name in ("forked_at", "restored_at", "revoked_at")]
    times += [status["store"]["drift"]["at"], status["sent_again"]["at"]]
    assert [one for one in times if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one)] == []


def test_a_revoked_station_is_not_asked_for_its_credential(enrolled, imageflow):
    database = migrated(enrolled / "station.sqlite3", OutboxRecorder(HybridLogicalClock("one")))
    with database.transaction() as session:
        set_value(session, REVOKED_AT, "2026-03-01T08:00:00.000Z")
    database.close()
    done = imageflow("--store", str(enrolled))
    assert (done.returncode, says(done.stderr, "device-revoked")) == (1, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes to try this with")
def test_the_status_is_shown_where_the_disk_is_full(refused, imageflow):
    folder, _ = refused
    with largest_file(0):
        shown = imageflow("status", "--store", str(folder), "--json")
    assert (shown.returncode, json.loads(shown.stdout)["dead"]) == (0, 2)
