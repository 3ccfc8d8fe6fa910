"""Executions of pipelines on the server: what was asked for, one run for each input file, and what came out.

None of it travels to stations.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, enumeration
from models.clock import utc_now
from models.ids import new_id
from models.states import ExecutionMode, ExecutionStatus, OutputKind, Priority, Verdict


class Execution(Base, kw_only=True, eq=False):
    """A pipeline run on one or more input files.

    Attributes:
        definition: of the pipeline as it runs: the version of the moment with the parameters of the request in it.
        parameters: of the request: step id → parameter → value.
        criteria: the verdicts are by these, those of an item; empty are the pipeline's own.
        rank: of the priority, the order in which waiting executions begin.
        user_id: who asked; None for a station or a machine.
        created_by: name of who asked, as in audit entries.
        device_id: the station that asked, alone or with its user.
        idempotency_key: of the request, unique for one who asks; the request repeated is answered with its execution.
        request_digest: SHA-256 of what a request with that key must repeat.
        progress: percent, of all files.
        error_code: why it failed.
        error_values: what the text of that error names.
        cancel_requested_at: when somebody asked to cancel a running one; its worker ends it.
        worker_id: who runs it.
        fencing_token: counts the claims; a write with an older one is refused.
        lease_until: after it another worker may claim a running one.
        attempts: how often a worker has begun.
        processing_time_ms: from its first start to its end.
    """

    __tablename__ = "executions"
    __table_args__ = (
        Index("ix_executions_waiting", "status", "rank", "id"),
        UniqueConstraint("created_by", "idempotency_key"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    pipeline_id: Mapped[str] = mapped_column(ForeignKey("pipelines.id"), index=True)
    pipeline_name: Mapped[str] = mapped_column(String(200))
    pipeline_version: Mapped[int]
    definition: Mapped[dict[str, Any]]
    parameters: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    criteria: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    priority: Mapped[Priority] = mapped_column(enumeration(Priority), default=Priority.NORMAL)
    rank: Mapped[int] = mapped_column(default=Priority.NORMAL.rank)
    status: Mapped[ExecutionStatus] = mapped_column(enumeration(ExecutionStatus), default=ExecutionStatus.PENDING)
    execution_mode: Mapped[ExecutionMode] = mapped_column(enumeration(ExecutionMode), default=ExecutionMode.DIRECT_GRPC)
    user_id: Mapped[str | None] = mapped_column(String(36), default=None, index=True)
    created_by: Mapped[str] = mapped_column(String(64), default="")
    device_id: Mapped[str | None] = mapped_column(String(64), default=None)
    idempotency_key: Mapped[str | None] = mapped_column(String(128), default=None)
    request_digest: Mapped[str] = mapped_column(String(64), default="")
    progress: Mapped[float] = mapped_column(default=0.0)
    processing_time_ms: Mapped[float | None] = mapped_column(default=None)
    error_code: Mapped[str | None] = mapped_column(String(64), default=None)
    error_values: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    worker_id: Mapped[str | None] = mapped_column(String(64), default=None)
    fencing_token: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime(), default_factory=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime(), default=None, index=True)


class ExecutionRun(Base, kw_only=True, eq=False):
    """The run of an execution's pipeline on one input file.

    Attributes:
        position: of the file in the request, from 0.
        file_id: the input, a ``StoredFile``.
        progress: percent.
        verdict: of a completed run.
        error_code: why it failed.
        error_values: what the text of that error names.
        steps: ``{step_id, component, status, milliseconds}`` of those that have begun, in the order of their begin.
    """

    __tablename__ = "execution_runs"

    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_id: Mapped[str] = mapped_column(ForeignKey("stored_files.id"), index=True)
    status: Mapped[ExecutionStatus] = mapped_column(enumeration(ExecutionStatus), default=ExecutionStatus.PENDING)
    progress: Mapped[float] = mapped_column(default=0.0)
    verdict: Mapped[Verdict | None] = mapped_column(enumeration(Verdict), default=None)
    error_code: Mapped[str | None] = mapped_column(String(64), default=None)
    error_values: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    steps: Mapped[list[Any]] = mapped_column(default_factory=list)


class ExecutionOutput(Base, kw_only=True, eq=False):
    """A file that a run has put out.

    Attributes:
        file_id: a ``StoredFile``; serves as the output's own id.
        position: of the input file in the request.
    """

    __tablename__ = "execution_outputs"

    file_id: Mapped[str] = mapped_column(ForeignKey("stored_files.id"), primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    output_kind: Mapped[OutputKind] = mapped_column(enumeration(OutputKind))
