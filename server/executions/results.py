"""What workers write of executions; a write is refused when the worker's claim is not valid."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from models.error_values import stored_values
from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.insertion import insert_new, new_row
from models.prepared import Prepared
from models.states import EXECUTION_ENDED, ExecutionStatus, OutputKind, Verdict
from models.sync import StoredFile
from server.executions.leases import Claim, finish, store_now, time_between, write_held
from server.executions.repository import end_runs, output_file, outputs_of
from server.executions.rules import overall_percent
from server.executions.schemas import OutputFile
from server.files.rows import file_values
from server.objects.records import record_blobs


@dataclass(frozen=True, slots=True)
class NewOutput:
    """A file that a run has put out, in the object store already."""

    output_kind: OutputKind
    filename: str
    sha256: str
    size: int
    content_type: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run of a pipeline on one file ended.

    Attributes:
        status: ``completed`` or ``failed``.
        steps: as ``ExecutionRun.steps``.
        error_code: why it failed.
        error_values: what the text of the error names.
    """

    status: ExecutionStatus
    verdict: Verdict | None = None
    steps: Sequence[dict[str, Any]] = ()
    outputs: Sequence[NewOutput] = ()
    error_code: str | None = None
    error_values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """An execution that has ended, for the event."""

    status: ExecutionStatus
    total_time_ms: float | None
    output_files: list[OutputFile]
    error_code: str | None
    error_values: dict[str, Any]


def record_progress(
    session: Session, claim: Claim, position: int, steps: Sequence[dict[str, Any]], percent: float
) -> None:
    """Write how far the run on one file is; nothing of one that has ended, which may be before its worker knows.

    Args:
        session: the transaction, in which the claim is held.
        claim: of the worker.
        position: of the file.
        steps: as ``ExecutionRun.steps``.
        percent: of the run.
    """
    run = session.get_one(ExecutionRun, (claim.execution_id, position))
    if run.status not in EXECUTION_ENDED:
        run.status, run.steps, run.progress = ExecutionStatus.RUNNING, list(steps), percent


def record_run(session: Session, claim: Claim, position: int, result: RunResult) -> Ended | None:
    """Write how the run on one file ended; with the last file the execution ends, and its end is returned.

    Args:
        session: the transaction.
        claim: of the worker.
        position: of the file.
        result: of the run.

    Raises:
        LeaseLostError: when the claim is not valid any more.
    """
    connection = session.connection()
    runs = _RUNS.all(connection, {"of_execution": claim.execution_id})
    this = next(run for run in runs if run.position == position)
    new: dict[str, Any] = {
        "status": result.status,
        "verdict": result.verdict,
        "steps": list(result.steps),
        "progress": 100.0,
        "error_code": result.error_code,
        "error_values": stored_values(result.error_values),
    }
    states = [new if run is this else run._asdict() for run in runs]
    values: dict[str, Any] = {"progress": overall_percent([state["progress"] for state in states])}
    over = all(state["status"] in EXECUTION_ENDED for state in states)
    if over:
        values |= _end_of(states, this.started_at, store_now(session))
    # First of the writes: it compares the claim, and locks the execution for the others.
    write_held(session, claim, values)
    _WRITE_RUN.run(connection, {"of_execution": claim.execution_id, "of_position": position, **new})
    made = _add_outputs(session, claim.execution_id, this.user_id, position, result.outputs)
    if not over:
        return None
    return Ended(
        values["status"],
        values["processing_time_ms"],
        made if len(runs) == 1 else outputs_of(session, claim.execution_id),
        values["error_code"],
        values["error_values"],
    )


def _end_of(
    states: Sequence[Mapping[str, Any]], started_at: datetime.datetime | None, now: datetime.datetime
) -> dict[str, Any]:
    """Return the columns of an execution whose runs have all ended, in these states."""
    failed = next((state for state in states if state["status"] is ExecutionStatus.FAILED), None)
    return {
        "status": ExecutionStatus.COMPLETED if failed is None else ExecutionStatus.FAILED,
        "ended_at": now,
        "worker_id": None,
        "lease_until": None,
        "processing_time_ms": time_between(started_at, now),
        "error_code": None if failed is None else failed["error_code"],
        "error_values": {} if failed is None else failed["error_values"],
    }


def end(session: Session, claim: Claim, status: ExecutionStatus, **values: Any) -> Ended:
    """End a claimed execution, once; the runs that have not ended end with it.

    Raises:
        LeaseLostError: when the claim is not valid any more.
    """
    if "error_values" in values:
        values["error_values"] = stored_values(values["error_values"])
    record = finish(session, claim, status, **values)
    session.flush()
    end_runs(session, record)
    return _ended(record, outputs_of(session, record.id))


def _ended(record: Execution, outputs: list[OutputFile]) -> Ended:
    return Ended(record.status, record.processing_time_ms, outputs, record.error_code, record.error_values)


def _add_outputs(
    session: Session, execution_id: str, user_id: str | None, position: int, outputs: Sequence[NewOutput]
) -> list[OutputFile]:
    """Record what a run has put out, and return it in the order of ids."""
    record_blobs(session, [(output.sha256, output.size, output.content_type) for output in outputs])
    files = [new_row(StoredFile, **file_values(output, user_id)) for output in outputs]
    insert_new(session, StoredFile, files)
    rows = [
        new_row(
            ExecutionOutput,
            file_id=file["id"],
            execution_id=execution_id,
            position=position,
            output_kind=output.output_kind,
        )
        for file, output in zip(files, outputs, strict=True)
    ]
    insert_new(session, ExecutionOutput, rows)
    made = [output_file({**file, **row}) for file, row in zip(files, rows, strict=True)]
    return sorted(made, key=lambda output: output.file_id)


_RUN_TABLE = cast("Table", ExecutionRun.__table__)
_RUNS = Prepared(
    select(
        ExecutionRun.position,
        ExecutionRun.status,
        ExecutionRun.progress,
        ExecutionRun.error_code,
        ExecutionRun.error_values,
        Execution.user_id,
        Execution.started_at,
    )
    .join(Execution, Execution.id == ExecutionRun.execution_id)
    .where(ExecutionRun.execution_id == bindparam("of_execution"))
    .order_by(ExecutionRun.position)
)
_WRITE_RUN = Prepared(
    update(_RUN_TABLE).where(
        _RUN_TABLE.c.execution_id == bindparam("of_execution"), _RUN_TABLE.c.position == bindparam("of_position")
    ),
    ("status", "verdict", "steps", "progress", "error_code", "error_values"),
)
