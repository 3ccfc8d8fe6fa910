"""The store: durable settings, changes that cannot slip by, trouble reported as what it is."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, update

from models.audit import append_audit, verify_audit
from models.clock import HybridLogicalClock
from models.database import Database
from models.errors import Unavailable
from models.migrations.newest import NEWEST
from models.migrations.upgrade import scripts
from models.records import Base
from models.sessions import AIResult, InspectionSession
from models.states import ChangeOperation, HumanVerdict, Role, Verdict
from models.sync import OutboxEntry
from models.targets import InspectionItem, Target
from models.tracking import remote_changes
from models.users import User
from models.verification import HumanVerification
from sync.station.outbox import OutboxRecorder
from tests.support.errors import raised_in
from tests.support.sync_stores import migrated


@pytest.fixture
def store(tmp_path):
    database = migrated(tmp_path / "store.sqlite3", OutboxRecorder(HybridLogicalClock("station")))
    yield database
    database.close()


def entries(store: Database) -> list[OutboxEntry]:
    with store.read() as session:
        return list(session.scalars(select(OutboxEntry).order_by(OutboxEntry.sequence)))


def add(store: Database, *records: object, actor: str | None = None) -> None:
    with store.transaction(actor=actor) as session:
        for record in records:
            session.add(record)
            session.flush()


def test_a_store_is_durable_with_its_references_checked(store):
    with store.read() as session:
        pragma = session.connection().exec_driver_sql
        assert pragma("PRAGMA journal_mode").scalar() == "wal"
        assert pragma("PRAGMA synchronous").scalar() == 2
        assert pragma("PRAGMA foreign_keys").scalar() == 1


def test_migrations_from_nothing_build_exactly_the_records(tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = Database.at(tmp_path / "new.sqlite3")
    database.migrate()
    database.migrate()
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []
    database.close()


def test_the_newest_version_is_known_without_loading_what_migrates(tmp_path):
    assert scripts().get_heads() == [NEWEST]
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from models.database import Database\n"
        "database = Database.at(Path(sys.argv[1]))\n"
        "database.migrate()\n"
        "database.close()\n"
        "print('alembic' in sys.modules)\n"
    )
    loaded = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "s.sqlite3")], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert loaded == ["True", "False"]


def test_a_store_of_a_newer_version_is_left_as_it_is(tmp_path):
    database = Database.at(tmp_path / "new.sqlite3")
    database.migrate()
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable) as refusal:
        database.migrate()
    assert refusal.value.code == "store-newer"
    database.close()


def test_a_change_is_committed_with_its_outbox_entry_or_not_at_all(store):
    target = Target(code="T", name="t")
    add(store, target, actor="user-1")

    def half_way() -> None:
        with store.transaction() as session:
            session.get(Target, target.id).name = "changed"
            session.flush()
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        half_way()
    found = entries(store)
    assert [(entry.op, entry.entity_id, entry.user_id) for entry in found] == [
        (ChangeOperation.INSERT, target.id, "user-1")
    ]
    with store.read() as session:
        assert session.get(Target, target.id).name == "t"


def test_an_update_records_only_the_changed_fields(store):
    from models.clock import utc_now

    target = Target(code="T", name="t")
    add(store, target)
    with store.transaction() as session:
        session.get(Target, target.id).name = "new"
    with store.transaction() as session:
        session.get(Target, target.id).deleted_at = utc_now()
    _, changed, deleted = entries(store)
    assert set(changed.fields) == {"name", "updated_at"}
    assert deleted.op is ChangeOperation.DELETE
    assert changed.clock < deleted.clock


def test_what_comes_from_the_other_side_is_not_recorded_again(store):
    with store.transaction() as session, remote_changes(session):
        session.add(Target(code="T", name="t"))
    assert entries(store) == []


def test_a_record_that_travels_cannot_be_removed(store):
    target = Target(code="T", name="t")
    add(store, target)
    with pytest.raises(RuntimeError, check=raised_in(remote_changes)), store.transaction() as session:
        session.delete(session.get(Target, target.id))


@pytest.mark.parametrize(
    "statement",
    [update(Target).values(name="x"), delete(Target), insert(Target).values(id="1", code="c", name="n")],
    ids=["update", "delete", "insert"],
)
def test_a_bulk_write_that_would_skip_the_outbox_is_refused(store, statement):
    with pytest.raises(RuntimeError, check=raised_in(remote_changes)), store.transaction() as session:
        session.execute(statement)


def test_records_read_in_a_transaction_can_be_used_after_it(store):
    add(store, Target(code="T", name="t"))
    with store.read() as session:
        target = session.scalars(select(Target)).one()
    assert target.name == "t"


def test_the_effective_verdict_follows_every_new_fact(store):
    user = User(username="u", role=Role.INSPECTOR)
    target = Target(code="T", name="t")
    item = InspectionItem(target_id=target.id, name="i")
    part = InspectionSession(device_id="station", target_id=target.id)
    add(store, user, target, item, part)
    stated = AIResult(
        device_id="station", session_id=part.id, item_id=item.id, overall_result=Verdict.NG, confidence=0.9
    )
    add(store, stated)
    with store.read() as session:
        assert session.get(InspectionSession, part.id).effective_verdict is HumanVerdict.NG
    add(store, HumanVerification(device_id="station", session_id=part.id, verdict=HumanVerdict.OK))
    with store.read() as session:
        assert session.get(InspectionSession, part.id).effective_verdict is HumanVerdict.OK


@pytest.mark.parametrize(
    ("tampering", "reasons"),
    [
        ("UPDATE audit_entries SET actor = 'someone' WHERE sequence = 2", {"altered"}),
        ("DELETE FROM audit_entries WHERE sequence = 2", {"gap"}),
        ("DELETE FROM audit_entries WHERE sequence = 3", {"end-missing"}),
        ("UPDATE audit_entries SET digest = previous_digest WHERE sequence = 1", {"altered", "broken-link"}),
    ],
)
def test_tampering_with_the_audit_trail_is_seen(store, tmp_path, tampering, reasons):
    for number in range(3):
        with store.transaction() as session:
            append_audit(session, device_id="station", actor="a", action=f"action-{number}", detail={"n": number})
    with store.read() as session:
        assert verify_audit(session) == []
    outside = sqlite3.connect(tmp_path / "store.sqlite3")
    outside.execute(tampering)
    outside.commit()
    outside.close()
    with store.read() as session:
        assert {problem.reason for problem in verify_audit(session)} == reasons


def test_a_store_locked_by_another_process_is_reported_within_the_timeout(tmp_path, store):
    add(store, Target(code="T", name="t"))
    recorder = OutboxRecorder(HybridLogicalClock("x"))
    impatient = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}", recorder, busy_timeout_ms=100)
    outside = sqlite3.connect(tmp_path / "store.sqlite3", isolation_level=None)
    outside.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as refusal:
        add(impatient, Target(code="U", name="u"))
    assert refusal.value.code == "store-locked"
    with impatient.read() as session:
        assert session.scalar(select(func.count()).select_from(Target)) == 1, "readers do not wait for a writer"
    outside.execute("ROLLBACK")
    outside.close()
    add(impatient, Target(code="U", name="u"))
    impatient.close()


@pytest.mark.parametrize("content", [b"this is no database, it is a text file of some length" * 50])
def test_a_file_that_is_no_database_is_reported_as_damaged(tmp_path, content):
    path = tmp_path / "store.sqlite3"
    path.write_bytes(content)
    database = Database.at(path)
    with pytest.raises(Unavailable) as refusal:
        database.migrate()
    assert refusal.value.code == "store-damaged"
    assert path.read_bytes() == content, "the damaged file is kept"
    database.close()


def test_a_store_with_overwritten_pages_is_reported_as_damaged(tmp_path, store):
    for number in range(200):
        add(store, Target(code=f"T{number}", name="t" * 100))
    store.close()
    path = tmp_path / "store.sqlite3"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    database = Database.at(path)
    with pytest.raises(Unavailable) as refusal, database.read() as session:
        session.scalars(select(Target)).all()
    assert refusal.value.code == "store-damaged"
    database.close()


def test_a_store_in_a_folder_that_is_not_there_is_reported(tmp_path):
    database = Database.at(tmp_path / "missing" / "store.sqlite3")
    with pytest.raises(Unavailable) as refusal:
        database.migrate()
    assert refusal.value.code == "store-not-found"
    database.close()


FULL_DISK = """
    import resource, signal, sys
    from pathlib import Path
    from models.clock import HybridLogicalClock
    from models.database import Database
    from models.errors import Unavailable
    from models.targets import Target
    from sync.station.outbox import OutboxRecorder

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path = Path(sys.argv[1])
    store = Database.at(path, OutboxRecorder(HybridLogicalClock("a")))
    limit = path.stat().st_size + 300_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    committed = 0
    try:
        while True:
            with store.transaction() as session:
                session.add(Target(code=f"T{committed}", name="t", description="d" * 20_000))
            committed += 1
    except Unavailable as error:
        print(error.code, committed)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of file sizes to try this with")
def test_a_full_disk_loses_nothing_committed(tmp_path, store):
    store.close()
    path: Path = tmp_path / "store.sqlite3"
    script = textwrap.dedent(FULL_DISK)
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    code, committed = done.stdout.split()
    assert code in {"disk-full", "disk-failing"}
    assert int(committed) > 0
    again = Database.at(path, OutboxRecorder(HybridLogicalClock("a")))
    with again.read() as session:
        assert session.scalar(select(func.count()).select_from(Target)) == int(committed)
        assert session.scalar(select(func.count()).select_from(OutboxEntry)) == int(committed)
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    add(again, Target(code="after", name="room again"))
    again.close()
