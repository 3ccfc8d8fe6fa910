"""Old executions go, and what nobody else names goes with them."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select

from models.clock import utc_now
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.ids import new_id
from models.sync import StoredFile
from server.context import ServerContext, open_context
from server.core.settings import ServerSettings
from server.executions.retention import remove_ended
from server.objects.collecting import collect
from server.objects.records import record_blob
from tests.support.worker_runs import accept, run_to_the_end


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ServerContext]:
    opened = open_context(ServerSettings(data_dir=tmp_path))
    opened.outbox.start()
    yield opened
    opened.close()


def test_old_executions_go_with_their_files(context: ServerContext) -> None:
    one = accept(context)
    run_to_the_end(context, one)
    later = utc_now() + datetime.timedelta(days=31)
    assert remove_ended(context.database, 30) == 0
    assert remove_ended(context.database, 30, later) == 1
    with context.database.read() as session:
        for kind in (Execution, ExecutionRun, ExecutionOutput, StoredFile):
            assert session.scalars(select(kind)).all() == []


def objects_of(context: ServerContext, kind: type[ExecutionRun | ExecutionOutput]) -> list[str]:
    """The digests of the inputs or of the outputs of all executions."""
    with context.database.read() as session:
        query = select(StoredFile.sha256).join(kind, kind.file_id == StoredFile.id).order_by(StoredFile.id)
        return list(session.scalars(query))


def test_what_an_old_execution_gave_takes_no_room_a_day_later(context: ServerContext) -> None:
    run_to_the_end(context, accept(context))
    inputs, outputs = objects_of(context, ExecutionRun), objects_of(context, ExecutionOutput)
    later = utc_now() + datetime.timedelta(days=3)
    assert remove_ended(context.database, 2, later) == 1
    collect(context.database, context.objects, now=later)
    assert [context.objects.exists(sha256) for sha256 in inputs] == [True]
    assert [context.objects.exists(sha256) for sha256 in outputs] == [False, False]


def test_bytes_that_come_again_after_an_old_execution_are_an_upload(context: ServerContext) -> None:
    run_to_the_end(context, accept(context))
    again, gone = objects_of(context, ExecutionOutput)
    later = utc_now() + datetime.timedelta(days=3)
    remove_ended(context.database, 2, later)
    with context.database.local_transaction() as session:
        record_blob(session, again, 1, "image/png")
    collect(context.database, context.objects, now=later)
    assert (context.objects.exists(again), context.objects.exists(gone)) == (True, False)


def test_executions_that_gave_more_files_than_a_statement_takes_are_removed(context: ServerContext) -> None:
    one = accept(context)
    run_to_the_end(context, one)
    with context.database.local_transaction() as session:
        kind, now = session.scalars(select(ExecutionOutput.output_kind)).first(), utc_now()
        files = [
            {
                "id": new_id(),
                "sha256": f"{number:064x}",
                "filename": "",
                "content_type": "",
                "size_bytes": 1,
                "created_at": now,
            }
            for number in range(11_000)
        ]
        session.execute(insert(StoredFile), files)
        outputs = [{"file_id": file["id"], "execution_id": one, "position": 0, "output_kind": kind} for file in files]
        session.execute(insert(ExecutionOutput), outputs)

    def as_most_builds(connection: sqlite3.Connection, *_: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)

    event.listen(context.database.engine, "checkout", as_most_builds)
    assert remove_ended(context.database, 2, utc_now() + datetime.timedelta(days=3)) == 1


def test_bytes_that_another_file_names_outlast_an_old_execution(context: ServerContext) -> None:
    run_to_the_end(context, accept(context))
    kept, gone = objects_of(context, ExecutionOutput)
    with context.database.local_transaction() as session:
        session.add(StoredFile(sha256=kept, filename="kept.png", content_type="image/png", size_bytes=1))
    later = utc_now() + datetime.timedelta(days=3)
    remove_ended(context.database, 2, later)
    collect(context.database, context.objects, now=later)
    assert (context.objects.exists(kept), context.objects.exists(gone)) == (True, False)


def test_an_execution_that_runs_is_never_removed(context: ServerContext) -> None:
    accept(context)
    assert remove_ended(context.database, 1, utc_now() + datetime.timedelta(days=400)) == 0
