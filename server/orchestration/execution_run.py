"""One claimed execution from its start to its end: its files one after the other, held, cancelled, given back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from inspection.components.registry import InspectionCancelled
from inspection.judging.criteria import Criteria
from inspection.model_files.step_models import ModelFinder
from inspection.pipeline.validation import ValidatedPipeline
from models.errors import ImageFlowError, Unavailable, UserFacingError
from models.executions import Execution
from models.states import ExecutionMode, ExecutionStatus, Verdict
from models.store_trouble import trouble_of
from server.context import ServerContext
from server.core.retry_after import retry_after_s
from server.core.structlog_import import structlog
from server.core.tracing import Span
from server.events.outbox import enqueue
from server.executions.announcing import announce, announce_end, announce_start
from server.executions.events import PROCESSING_REQUESTS, ExecutionRequest
from server.executions.jobs import Job, JobFile
from server.executions.leases import Claim, LeaseLostError, give_back, hold, is_cancelled
from server.executions.pipelines import pipeline_of
from server.executions.repository import execution_by_id, outputs_of
from server.executions.results import Ended, NewOutput, RunResult, end, record_progress, record_run
from server.executions.rules import After, after_trouble, pause_before
from server.executions.schemas import OutputFile
from server.objects.store import ObjectStore
from server.orchestration.file_runs import FileOutcome, InputImage, run_on_file
from server.orchestration.outputs import keep_outputs
from server.orchestration.progress import JobProgress
from server.orchestration.run_work import RunWork, Work
from server.services.step_services import StepServices, StoredImage
from sync.shared.problems import RETRY_AFTER

LOOK_S = 0.5
"""Seconds between two looks whether somebody asked to cancel."""
_WRITE_AGAIN_S = 0.2
_BUG = "execution-fault"
_T = TypeVar("_T")
_log = structlog.get_logger("imageflow.server")


class _NotClaimedError(ImageFlowError):
    """The next execution could not be claimed."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every execution of a worker is run with.

    Attributes:
        context: the server's parts.
        work: where steps run.
        find_model: returns the model of a name.
        services: where steps run elsewhere; None to run them all here.
        on_database: runs a unit of work on a thread for the database, to its end also when the caller is cancelled.
        claim_another: returns what claims the next execution in the transaction that ends one; or None.
        has_ended: called with the id of an execution that has ended, before its run does.
    """

    context: ServerContext
    work: Work
    find_model: ModelFinder
    services: StepServices | None
    on_database: Callable[[Callable[[], Any]], Awaitable[Any]]
    claim_another: Callable[[], Callable[[Session], None] | None]
    has_ended: Callable[[str], None]


class ExecutionRunner:
    """Runs one claimed execution.

    Args:
        tools: of the worker.
        job: the execution.
    """

    def __init__(self, tools: Tools, job: Job) -> None:
        self._tools = tools
        self._job = job
        self._settings = tools.context.settings
        self._progress = JobProgress(tools.context.events, job)
        self._cancel_asked = False
        self._lost = False

    async def run(self) -> None:
        """Run the execution until it has ended, is given back, or belongs to another worker.

        Cancelled (the worker stops), it is given back at once, and the attempt does not count.
        """
        claim = self._job.claim
        announce_start(self._tools.context.events, claim.execution_id, claim.fencing_token, self._job.file_count)
        running = asyncio.create_task(self._traced())
        guard = asyncio.create_task(self._guard(running))
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:
            await self._stopped(running)
            raise
        finally:
            guard.cancel()
            (fault,) = await asyncio.gather(guard, return_exceptions=True)
            if isinstance(fault, Exception):
                _log.error("execution not held", execution_id=claim.execution_id, exc_info=fault)
        await self._settle(running)

    async def _settle(self, running: asyncio.Task[None]) -> None:
        """Do what is left when the run is over: a cancelled execution ends, of a lost one the state is published."""
        error = None if running.cancelled() else running.exception()
        try:
            if self._cancel_asked:
                self._announce_end(await self._write(self._end_cancelled))
                return
        except LeaseLostError as lost:
            error = lost
        if self._lost or isinstance(error, LeaseLostError):
            await self._announce_state()
        elif error is not None:
            raise error

    async def _stopped(self, running: asyncio.Task[None]) -> None:
        """Let another worker go on at once; the attempt does not count."""
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self._give_back(attempts=self._job.claim.attempt - 1)

    def _end_cancelled(self, session: Session) -> Ended:
        return end(session, self._job.claim, ExecutionStatus.CANCELLED)

    async def _traced(self) -> None:
        claim = self._job.claim
        about = {"imageflow.execution": claim.execution_id, "imageflow.mode": claim.execution_mode.value}
        with self._tools.context.tracing.span("execution", about) as span:
            await self._files(span)

    async def _files(self, span: Span) -> None:
        pipeline = pipeline_of(self._job.definition)
        criteria = Criteria.model_validate_json(self._job.criteria)
        for file in self._job.files:
            self._progress.begin_file(file.position)
            try:
                result = await self._one(pipeline, criteria, file)
            except (LeaseLostError, InspectionCancelled):
                raise
            except Exception as error:  # noqa: BLE001 - a fault is logged, and counts as an attempt
                span.failed(error)
                after = self._after(error)
                if after is After.FALL_BACK:
                    _log.warning(
                        "execution goes on over the bus", execution_id=self._job.claim.execution_id, reason=str(error)
                    )
                    await self._fall_back()
                    return
                if after is After.TRY_AGAIN:
                    await self._give_back(pause_s=pause_before(self._job.claim.attempt))
                    return
                result = self._failed(error)
            await self._record(file.position, result)

    def _after(self, error: Exception) -> After:
        if not isinstance(error, UserFacingError):
            _log.error("execution fault", execution_id=self._job.claim.execution_id, exc_info=error)
        return after_trouble(
            error,
            mode=self._job.claim.execution_mode,
            attempts=self._job.claim.attempt,
            most_attempts=self._settings.execution_attempts,
        )

    async def _record(self, position: int, result: RunResult) -> None:
        claim_another = self._tools.claim_another()

        def write(session: Session) -> Ended | None:
            return record_run(session, self._job.claim, position, result)

        def write_and_claim(session: Session) -> Ended | None:
            ended = write(session)
            if ended is not None and claim_another is not None:
                _claim_beside(session, claim_another)
            return ended

        try:
            ended = await self._write(write_and_claim)
        except _NotClaimedError as error:
            # The log has it whole, and the worker meets it again when it looks next. Written once more by itself: a
            # savepoint before each claim would cost every execution what this costs the one.
            _log.error("the next execution could not be claimed", exc_info=error.__cause__)
            ended = await self._write(write)
        self._progress.end_file()
        if ended is not None:
            self._tools.has_ended(self._job.claim.execution_id)
            self._announce_end(ended)

    async def _one(self, pipeline: ValidatedPipeline, criteria: Criteria, file: JobFile) -> RunResult:
        objects = self._tools.context.objects
        image = StoredImage(
            bucket=objects.bucket,
            object_key=objects.object_key(file.sha256),
            content_type=file.content_type,
            size_bytes=file.size,
            width=file.width,
            height=file.height,
        )
        direct = self._job.claim.execution_mode is ExecutionMode.DIRECT_GRPC
        async with RunWork(self._tools.work) as work:
            verdict, outputs = await run_on_file(
                work,
                pipeline,
                InputImage(image, file.filename),
                self._tools.find_model,
                criteria,
                self._tools.services if direct else None,
                self._progress.report,
                partial(_kept, objects, file.filename, work.stop_if_cancelled),
                self._tools.context.tracing,
            )
        return RunResult(ExecutionStatus.COMPLETED, verdict, self._progress.steps, outputs)

    def _failed(self, error: Exception) -> RunResult:
        steps = self._progress.steps
        if isinstance(error, UserFacingError):
            values = dict(error.values)
            if (seconds := retry_after_s(error)) is not None:
                values[RETRY_AFTER] = seconds
            return RunResult(ExecutionStatus.FAILED, steps=steps, error_code=error.code, error_values=values)
        return RunResult(ExecutionStatus.FAILED, steps=steps, error_code=_BUG)

    async def _guard(self, running: asyncio.Task[None]) -> None:
        """Hold the lease and look whether somebody asked to cancel, until the run is over."""
        every = min(self._settings.execution_lease_s / 3, 1.0)
        held = time.monotonic()
        while True:
            await asyncio.sleep(min(LOOK_S, every))
            due = time.monotonic() - held >= every
            try:
                asked = await self._tools.on_database(self._hold if due else self._look)
            except LeaseLostError:
                self._lost = True
                running.cancel()
                return
            except Unavailable:
                continue  # The lease may run out meanwhile; then what this worker writes is refused.
            if due:
                held = time.monotonic()
            if asked:
                self._cancel_asked = True
                running.cancel()
                return

    def _hold(self) -> bool:
        progress = self._progress
        with self._tools.context.database.local_transaction() as session:
            lease_s = self._settings.execution_lease_s
            asked = hold(session, self._job.claim, lease_s=lease_s, progress=progress.overall)
            record_progress(session, self._job.claim, progress.position, progress.steps, progress.file_percent)
        return asked

    def _look(self) -> bool:
        with self._tools.context.database.read() as session:
            return is_cancelled(session, self._job.claim)

    async def _fall_back(self) -> None:
        """Let the execution go on over the bus, where no service is asked."""
        execution_id = self._job.claim.execution_id

        def write(session: Session) -> None:
            give_back(session, self._job.claim, execution_mode=ExecutionMode.KAFKA_FALLBACK, attempts=0)
            enqueue(session, PROCESSING_REQUESTS, execution_id, ExecutionRequest(execution_id=execution_id))

        await self._write(write)
        self._tools.context.outbox.wake()
        await self._announce_state()

    async def _give_back(self, **how: Any) -> None:
        try:
            await self._write(lambda session: give_back(session, self._job.claim, **how))
        except (LeaseLostError, Unavailable):
            return  # Somebody else has it, or will have it when the lease is over.
        await self._announce_state()

    async def _write(self, work: Callable[[Session], _T]) -> _T:
        """Write in a transaction; trouble of the database is waited out as long as the lease may last.

        Raises:
            LeaseLostError: when the claim is not valid any more.
            Unavailable: when the database is still not there.
        """

        def unit() -> _T:
            with self._tools.context.database.local_transaction() as session:
                return work(session)

        until = time.monotonic() + self._settings.execution_lease_s
        while True:
            try:
                done: _T = await self._tools.on_database(unit)
            except Unavailable:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(_WRITE_AGAIN_S)
            else:
                return done

    async def _announce_state(self) -> None:
        """Publish the state that the record has: a write of ours whose answer was lost, or that of another worker."""

        def read() -> tuple[Execution, list[OutputFile]]:
            with self._tools.context.database.read() as session:
                record = execution_by_id(session, self._job.claim.execution_id)
                return record, outputs_of(session, record.id)

        try:
            announce(self._tools.context.events, *await self._tools.on_database(read))
        except UserFacingError:
            return

    def _announce_end(self, ended: Ended) -> None:
        claim: Claim = self._job.claim
        announce_end(self._tools.context.events, claim.execution_id, claim.fencing_token, ended)


def _claim_beside(session: Session, claim: Callable[[Session], None]) -> None:
    """Claim the next execution in the transaction that ends one.

    Raises:
        UserFacingError, DatabaseError: for trouble of the store, after which the whole is tried again.
        _NotClaimedError: for any other fault, a statement that is wrong too: it must cost the one that ends nothing.
    """
    try:
        claim(session)
    except UserFacingError:
        raise
    except Exception as error:
        if isinstance(error, DatabaseError) and trouble_of(error, session.connection().engine.url) is not None:
            raise
        raise _NotClaimedError from error


def _kept(
    objects: ObjectStore, filename: str, stop_if_cancelled: Callable[[], None], found: FileOutcome
) -> tuple[Verdict, list[NewOutput]]:
    return found.outcome.result.overall_result, keep_outputs(objects, found, filename, stop_if_cancelled)
