"""Queries of executions."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from models.errors import NotFound
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.prepared import Prepared
from models.states import EXECUTION_ENDED, ExecutionStatus
from models.sync import StoredFile
from server.core.paging import PageQuery, in_order
from server.core.records import require_record
from server.executions.rules import step_status
from server.executions.schemas import ExecutionReply, ExecutionStep, InputFile, OutputFile
from sync.shared.schemas import Page

DOWNLOAD = "/api/v1/files/{}/download"


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions are asked for; None is any.

    Attributes:
        mine: only those of ``user_id``, or of ``created_by`` where there is no user.
    """

    status: ExecutionStatus | None = None
    pipeline_id: str | None = None
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    mine: bool = False
    user_id: str | None = None
    created_by: str = ""


def execution_by_id(session: Session, execution_id: str, *, locked: bool = False) -> Execution:
    """Return an execution; ``NotFound`` ``execution-not-found``."""
    return require_record(session, Execution, execution_id, "execution-not-found", locked=locked)


def by_key(session: Session, created_by: str, key: str | None) -> Execution | None:
    """Return the execution that an earlier request with the same key has made."""
    if key is None:
        return None
    query = select(Execution).where(Execution.created_by == created_by, Execution.idempotency_key == key)
    return session.scalars(query).first()


def page(session: Session, wanted: ExecutionFilter, paging: PageQuery, device_id: str | None) -> Page[ExecutionReply]:
    """Return a page of executions, newest first.

    Args:
        session: the transaction.
        wanted: which.
        paging: which part; the search looks at names of pipelines.
        device_id: only those of this station; None for all.
    """
    query = select(Execution)
    equal = {Execution.status: wanted.status, Execution.pipeline_id: wanted.pipeline_id, Execution.device_id: device_id}
    for column, value in equal.items():
        if value is not None:
            query = query.where(column == value)
    if wanted.start is not None:
        query = query.where(Execution.created_at >= wanted.start)
    if wanted.end is not None:
        query = query.where(Execution.created_at < wanted.end)
    if wanted.mine:
        mine = Execution.user_id == wanted.user_id if wanted.user_id else Execution.created_by == wanted.created_by
        query = query.where(mine)
    if paging.search:
        query = query.where(Execution.pipeline_name.icontains(paging.search, autoescape=True))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    # Ids are UUIDv7: their order is the order of creation, and the primary key serves it.
    ordered = in_order(query.order_by(Execution.id.desc()), Execution, paging)
    rows = session.scalars(ordered.limit(paging.page_size).offset(paging.skipped))
    return Page[ExecutionReply](
        items=[reply(record) for record in rows],
        total_count=total,
        page=paging.page,
        page_size=paging.page_size,
        total_pages=-(-total // paging.page_size),
    )


def reply(record: Any) -> ExecutionReply:
    """Return the wire form of an execution, from its record or its columns."""
    values = {name: getattr(record, name) for name in ExecutionReply.model_fields if name != "execution_id"}
    return ExecutionReply(execution_id=record.id, **values)


def end_runs(session: Session, record: Execution) -> None:
    """Give the runs of an ended execution that have no end its own."""
    session.execute(
        update(ExecutionRun)
        .where(ExecutionRun.execution_id == record.id, ExecutionRun.status.not_in(EXECUTION_ENDED))
        .values(status=record.status)
        .execution_options(synchronize_session=False)
    )


def columns_of(session: Session, execution_id: str) -> Any:
    """Return the columns of an execution, in a third of the time that loading it takes.

    Raises:
        NotFound: ``execution-not-found``.
    """
    row = _EXECUTION.first(session.connection(), {"of_execution": execution_id})
    if row is None:
        raise NotFound("execution-not-found")
    return row


def runs_of(session: Session, execution_id: str) -> Sequence[Any]:
    """Return the runs of an execution with the names of their input files, in the order of the request."""
    return _RUNS.all(session.connection(), {"of_execution": execution_id})


def watched_columns(connection: Connection, execution_id: str) -> Any | None:
    """Return the columns of an execution that its client is sent; None when there is none."""
    return _WATCHED.first(connection, {"of_execution": execution_id})


def begun_runs(connection: Connection, execution_id: str) -> Sequence[Any]:
    """Return the runs of an execution with their steps alone, in the order of the request."""
    return _BEGUN_RUNS.all(connection, {"of_execution": execution_id})


def outputs_of(session: Session, execution_id: str) -> list[OutputFile]:
    """Return what came out of an execution, in the order of its input files; nothing of it waits to be flushed."""
    return outputs_on(session.connection(), execution_id)


def outputs_on(connection: Connection, execution_id: str) -> list[OutputFile]:
    """Return what ``outputs_of`` does, where there is no session."""
    return [output_file(row._asdict()) for row in _OUTPUTS.all(connection, {"of_execution": execution_id})]


def output_file(columns: Mapping[str, Any]) -> OutputFile:
    """Return the wire form of an output, from the columns of its record and its file."""
    return OutputFile(
        file_id=columns["file_id"],
        file_index=columns["position"],
        output_kind=columns["output_kind"],
        filename=columns["filename"],
        content_type=columns["content_type"],
        size=columns["size_bytes"],
        sha256=columns["sha256"],
        download_url=DOWNLOAD.format(columns["file_id"]),
    )


def input_files(runs: Sequence[Any]) -> list[InputFile]:
    """Return the wire form of runs."""
    return [
        InputFile(
            file_index=run.position,
            file_id=run.file_id,
            filename=run.filename,
            status=run.status,
            progress=run.progress,
            verdict=run.verdict,
        )
        for run in runs
    ]


def steps_of(runs: Sequence[Any]) -> list[ExecutionStep]:
    """Return the steps that have begun, by input file; one that its run did not let end has the status of the run."""
    return [
        ExecutionStep(
            file_index=run.position,
            step_id=step["step_id"],
            component=step["component"],
            component_title=step.get("component_title", step["component"]),  # earlier versions recorded none
            status=step_status(run.status, step["status"]),
            milliseconds=step["milliseconds"],
        )
        for run in runs
        for step in run.steps
    ]


_EXECUTION = Prepared(select(cast("Table", Execution.__table__)).where(Execution.id == bindparam("of_execution")))
_RUNS = Prepared(
    select(
        ExecutionRun.position,
        ExecutionRun.status,
        ExecutionRun.progress,
        ExecutionRun.verdict,
        ExecutionRun.steps,
        ExecutionRun.file_id,
        StoredFile.filename,
    )
    .join(StoredFile, StoredFile.id == ExecutionRun.file_id)
    .where(ExecutionRun.execution_id == bindparam("of_execution"))
    .order_by(ExecutionRun.position)
)
_WATCHED = Prepared(
    select(
        Execution.device_id,
        Execution.status,
        Execution.fencing_token,
        Execution.progress,
        Execution.attempts,
        Execution.started_at,
        Execution.processing_time_ms,
        Execution.error_code,
        Execution.error_values,
    ).where(Execution.id == bindparam("of_execution"))
)
_BEGUN_RUNS = Prepared(
    select(ExecutionRun.position, ExecutionRun.status, ExecutionRun.steps)
    .where(ExecutionRun.execution_id == bindparam("of_execution"))
    .order_by(ExecutionRun.position)
)
_OUTPUTS = Prepared(
    select(
        ExecutionOutput.file_id,
        ExecutionOutput.position,
        ExecutionOutput.output_kind,
        StoredFile.filename,
        StoredFile.content_type,
        StoredFile.size_bytes,
        StoredFile.sha256,
    )
    .join(StoredFile, StoredFile.id == ExecutionOutput.file_id)
    .where(ExecutionOutput.execution_id == bindparam("of_execution"))
    .order_by(ExecutionOutput.position, ExecutionOutput.file_id)
)
