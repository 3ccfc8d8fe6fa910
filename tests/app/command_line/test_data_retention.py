"""``imageflow data retention`` as a person or a script uses it."""

from __future__ import annotations

import json

import pytest

from app.command_line import main
from app.command_line.wording import phrases
from models.clock import HybridLogicalClock
from models.ids import new_id
from sync.station.outbox import OutboxRecorder
from sync.station.state import DEVICE_ID, SERVER_URL, set_value
from tests.support.messages import says
from tests.support.sync_stores import migrated


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The empty store of an enrolled station."""
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", "en")
    database = migrated(tmp_path / "station.sqlite3", OutboxRecorder(HybridLogicalClock("one")))
    with database.transaction() as session:
        set_value(session, DEVICE_ID, new_id())
        set_value(session, SERVER_URL, "http://127.0.0.1:9")
    database.close()
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["data", "retention", *arguments])
    return int(ended.value.code or 0)


def test_a_dry_run_reports_counts_as_json(store, capsys):
    assert run("--dry-run", "--days", "30", "--json", "--store", str(store)) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["files"], report["bytes"], report["dry_run"], report["kept"]) == (0, 0, True, {})


def test_without_a_setting_it_is_refused(store, capsys):
    assert run("--store", str(store)) == 1
    assert says(capsys.readouterr().err, "retention-not-set")


def test_the_setting_of_the_store_is_taken(store, capsys):
    (store / "settings.json").write_text(json.dumps({"retention_days": 30}), encoding="utf-8")
    assert run("--json", "--store", str(store)) == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is False


@pytest.mark.parametrize(("language", "word"), [("en", "deleted"), ("ja", "削除")])
def test_the_counts_are_printed_in_the_users_language(store, capsys, monkeypatch, language, word):
    monkeypatch.setenv("IMAGEFLOW_LANGUAGE", language)
    assert run("--days", "30", "--store", str(store)) == 0
    assert word in capsys.readouterr().out


def test_both_languages_have_the_same_phrases():
    assert phrases("en").keys() == phrases("ja").keys()
