"""What a worker needs to run an execution, read together with its claim."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from models.executions import ExecutionRun
from models.prepared import Prepared
from models.states import EXECUTION_ENDED
from models.sync import StoredFile
from server.executions.leases import Claim, Claimed, claim_next
from server.executions.pipelines import as_text


@dataclass(frozen=True, slots=True)
class JobFile:
    """An input file that has to be run."""

    position: int
    filename: str
    sha256: str
    size: int
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed execution.

    Attributes:
        claim: the right to it.
        definition: of its pipeline, JSON.
        criteria: that it judges by, JSON.
        files: those without an end, in the order of the request.
        file_count: all of them.
    """

    claim: Claim
    definition: str
    criteria: str
    files: tuple[JobFile, ...]
    file_count: int


def next_job(session: Session, worker_id: str, *, lease_s: float, most_attempts: int) -> tuple[Job | None, Claimed]:
    """Claim the next execution and return what is needed to run it; see ``claim_next``."""
    found = claim_next(session, worker_id, lease_s=lease_s, most_attempts=most_attempts)
    if found.claim is None:
        return None, found
    runs = _FILES.all(session.connection(), {"of_execution": found.claim.execution_id})
    files = tuple(
        JobFile(
            position=run.position,
            filename=run.filename,
            sha256=run.sha256,
            size=run.size_bytes,
            content_type=run.content_type,
            width=run.width or 0,
            height=run.height or 0,
        )
        for run in runs
        if run.status not in EXECUTION_ENDED
    )
    return Job(found.claim, as_text(found.definition), as_text(found.criteria), files, len(runs)), found


_FILES = Prepared(
    select(
        ExecutionRun.position,
        ExecutionRun.status,
        StoredFile.filename,
        StoredFile.sha256,
        StoredFile.size_bytes,
        StoredFile.content_type,
        StoredFile.width,
        StoredFile.height,
    )
    .join(StoredFile, StoredFile.id == ExecutionRun.file_id)
    .where(ExecutionRun.execution_id == bindparam("of_execution"))
    .order_by(ExecutionRun.position)
)
