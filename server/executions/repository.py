"""Queries of executions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.executions import Execution, ExecutionOutput, ExecutionRun
from models.sync import StoredFile
from server.core.records import require_record
from server.executions.schemas import ExecutionStep, InputFile, OutputFile

DOWNLOAD = "/api/v1/files/{}/download"


def execution_by_id(session: Session, execution_id: str) -> Execution:
    """Return an execution; ``NotFound`` ``execution-not-found``."""
    return require_record(session, Execution, execution_id, "execution-not-found")


def runs_of(session: Session, execution_id: str) -> Sequence[tuple[ExecutionRun, StoredFile]]:
    """Return the runs of an execution with their input files, in the order of the request."""
    query = (
        select(ExecutionRun, StoredFile)
        .join(StoredFile, StoredFile.id == ExecutionRun.file_id)
        .where(ExecutionRun.execution_id == execution_id)
        .order_by(ExecutionRun.position)
    )
    return [(run, file) for run, file in session.execute(query)]


def outputs_of(session: Session, execution_id: str) -> list[OutputFile]:
    """Return what came out of an execution, in the order of its input files."""
    query = (
        select(ExecutionOutput, StoredFile)
        .join(StoredFile, StoredFile.id == ExecutionOutput.file_id)
        .where(ExecutionOutput.execution_id == execution_id)
        .order_by(ExecutionOutput.position, ExecutionOutput.file_id)
    )
    return [output_file(output, file) for output, file in session.execute(query)]


def output_file(output: ExecutionOutput, file: StoredFile) -> OutputFile:
    """Return the wire form of an output."""
    return OutputFile(
        file_id=file.id,
        file_index=output.position,
        output_kind=output.output_kind,
        filename=file.filename,
        content_type=file.content_type,
        size=file.size_bytes,
        sha256=file.sha256,
        download_url=DOWNLOAD.format(file.id),
    )


def input_files(runs: Sequence[tuple[ExecutionRun, StoredFile]]) -> list[InputFile]:
    """Return the wire form of runs."""
    return [
        InputFile(
            file_index=run.position,
            file_id=file.id,
            filename=file.filename,
            status=run.status,
            progress=run.progress,
            verdict=run.verdict,
        )
        for run, file in runs
    ]


def steps_of(runs: Sequence[tuple[ExecutionRun, StoredFile]]) -> list[ExecutionStep]:
    """Return the steps that have begun, by input file."""
    return [ExecutionStep(file_index=run.position, **step) for run, _ in runs for step in run.steps]
