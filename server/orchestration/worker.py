"""A worker: claims executions by priority and runs several at a time, until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from inspection.imaging.files import ImageLimits
from inspection.model_files.step_models import ModelFinder
from models.errors import Unavailable
from models.ids import new_id
from models.states import ExecutionStatus
from server.context import ServerContext
from server.core.structlog_import import structlog
from server.events.reader import once_reachable
from server.executions.announcing import announce
from server.executions.events import PIPELINE_PROGRESS, PROCESSING_REQUESTS, WORKERS
from server.executions.jobs import Job, next_job
from server.executions.leases import has_waiting
from server.orchestration.execution_run import ExecutionRunner, Tools
from server.orchestration.expected_work import ExpectedWork
from server.orchestration.pipeline_models import models_of
from server.orchestration.run_work import Work
from server.services.step_services import StepServices

LOOK_S = 1.0
"""Seconds between two looks for work that nobody announced: executions of workers that died, and after a pause."""
_DATABASE_THREADS = 4
_log = structlog.get_logger("imageflow.server")


class Worker:
    """Runs executions.

    Args:
        context: the server's parts.
        slots: executions at a time, at least one.
        services: where steps run elsewhere; None to run them all here.
        find_model: finds the models that are no records of the store.
    """

    def __init__(
        self, context: ServerContext, slots: int, services: StepServices | None, find_model: ModelFinder
    ) -> None:
        self.worker_id = new_id()
        self._context = context
        self._slots = slots
        settings = context.settings
        self._threads = ThreadPoolExecutor(2 * slots, thread_name_prefix="ThreadPoolExecutor-steps")
        self._database_threads = ThreadPoolExecutor(
            _DATABASE_THREADS, thread_name_prefix="ThreadPoolExecutor-executions"
        )
        models = models_of(context, find_model)
        # Of pixels alone: what steps hand on takes more bytes than an upload of the same size.
        limits = ImageLimits(max_pixels=settings.max_image_pixels)
        work = Work(context.objects, self._threads, limits)
        self._tools = Tools(context, work, models.find, services, self._on_database)
        self._expected = ExpectedWork()
        self._running: set[asyncio.Task[None]] = set()
        self._free = asyncio.Event()
        self._free.set()

    async def run(self) -> None:
        """Work until cancelled; then give back what runs."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._consume())
                tasks.create_task(self._work())
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._threads.shutdown()
        self._database_threads.shutdown()

    async def _listen(self) -> None:
        """Wake up for executions that were accepted."""
        async with once_reachable(self._context.events.subscribe(PIPELINE_PROGRESS)) as events:
            async for event in events:
                if event.value.status is ExecutionStatus.PENDING:
                    self._expected.announce()

    async def _consume(self) -> None:
        """Wake up for requests of the bus; one is taken when there is room for it, so that others may have it else."""
        async with once_reachable(self._context.events.consume(PROCESSING_REQUESTS, WORKERS)) as requests:
            while True:
                await self._free.wait()
                delivery = await anext(requests, None)
                if delivery is None:
                    return
                # What is to be run, and whether, is in the database: the request only says that there is something.
                self._expected.announce()
                delivery.ack()

    async def _work(self) -> None:
        while True:
            await self._free.wait()
            if not self._expected.may_find:
                await self._expected.wait(LOOK_S)
                continue
            job = await self._next()
            if job is not None:
                self._start(job)

    async def _next(self) -> Job | None:
        announced = self._expected.announced
        try:
            if not announced and not await self._on_database(self._has_waiting):
                self._expected.found_none(announced)
                return None
            job, ended = await self._on_database(self._claim)
        except Unavailable as error:
            _log.warning("executions wait", code=error.code)
            self._expected.found_none(announced)
            return None
        if job is None:
            self._expected.found_none(announced)
        else:
            self._expected.found_one()
        for record in ended:
            announce(self._context.events, record)
        return job if isinstance(job, Job) else None

    def _has_waiting(self) -> bool:
        with self._context.database.read() as session:
            return has_waiting(session)

    def _claim(self) -> tuple[Job | None, list[Any]]:
        settings = self._context.settings
        with self._context.database.local_transaction() as session:
            job, found = next_job(
                session,
                self.worker_id,
                lease_s=settings.execution_lease_s,
                most_attempts=settings.execution_attempts,
            )
        return job, found.ended

    def _start(self, job: Job) -> None:
        task = asyncio.create_task(ExecutionRunner(self._tools, job).run(), name=f"execution {job.claim.execution_id}")
        self._running.add(task)
        task.add_done_callback(self._ended)
        if len(self._running) >= self._slots:
            self._free.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("execution left to its lease", error=type(error).__name__, exc_info=error)

    async def _on_database(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._database_threads, work)
