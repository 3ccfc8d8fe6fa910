"""What a worker needs to run an execution, read together with its claim."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.states import EXECUTION_ENDED
from server.executions.leases import Claim, Claimed, claim_next
from server.executions.pipelines import as_text
from server.executions.repository import runs_of


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
    record = found.execution
    if found.claim is None or record is None:
        return None, found
    runs = runs_of(session, record.id)
    files = tuple(
        JobFile(
            position=run.position,
            filename=file.filename,
            sha256=file.sha256,
            size=file.size_bytes,
            content_type=file.content_type,
            width=file.width or 0,
            height=file.height or 0,
        )
        for run, file in runs
        if run.status not in EXECUTION_ENDED
    )
    definition = as_text(record.definition)
    criteria = as_text(record.criteria)
    return Job(found.claim, definition, criteria, files, len(runs)), found
