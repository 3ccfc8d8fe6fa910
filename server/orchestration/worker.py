"""A worker: claims executions by priority and runs several at a time, until it is stopped.

Where another one waits, it is claimed in the transaction that ends one: a commit and a thread less for each.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from inspection.imaging.files import ImageLimits
from inspection.model_files.step_models import ModelFinder
from models.errors import Unavailable
from models.ids import new_id
from models.last_work import follow_commit
from server.context import ServerContext
from server.core.structlog_import import structlog
from server.events.reader import once_reachable
from server.executions.announcing import announce
from server.executions.events import PIPELINE_PROGRESS, PROCESSING_REQUESTS, WORKERS, is_accepted
from server.executions.jobs import Job, next_job
from server.executions.leases import Claimed, has_waiting
from server.orchestration.begun_work import outlasting
from server.orchestration.execution_run import ExecutionRunner, Tools
from server.orchestration.expected_work import ExpectedWork
from server.orchestration.pipeline_models import models_of
from server.orchestration.run_work import Work
from server.services.step_services import StepServices

LOOK_S = 1.0
"""Seconds between two looks for work that nobody announced: executions of workers that died, and after a pause."""
_DATABASE_THREADS = 4
_THREADS, _FIRST_ATTEMPTS = 3, 2
"""Of each slot: threads for steps, and how many of them may make attempts of services in this process. Two branches of
a pipeline seldom wait for a thread, and services that hang leave a third of them to everything else."""
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
        self._threads = ThreadPoolExecutor(_THREADS * slots, thread_name_prefix="ThreadPoolExecutor-steps")
        self._database_threads = ThreadPoolExecutor(
            _DATABASE_THREADS, thread_name_prefix="ThreadPoolExecutor-executions"
        )
        models = models_of(context, find_model)
        # Of pixels alone: what steps hand on takes more bytes than an upload of the same size.
        limits = ImageLimits(max_pixels=settings.max_image_pixels)
        work = Work(context.objects, self._threads, limits, threading.Semaphore(_FIRST_ATTEMPTS * slots))
        self._tools = Tools(context, work, models.find, services, self._on_database, self._another, self._has_ended)
        self._expected = ExpectedWork()
        self._running: set[asyncio.Task[None]] = set()
        self._over: set[str] = set()  # Names of those whose execution has ended, and that end in the next moment.
        self._writing: set[asyncio.Future[Any]] = set()
        self._free = asyncio.Event()
        self._free.set()
        self._stopping = False

    async def run(self) -> None:
        """Work until cancelled; then give back what runs."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._consume())
                tasks.create_task(self._work())
        finally:
            self._stopping = True
            while self._running or self._writing:  # What is written last may claim another execution.
                running, writing = set(self._running), set(self._writing)
                await asyncio.sleep(0)  # One that is cancelled before its first step gives nothing back.
                for task in running:
                    task.cancel()
                await asyncio.wait(running | writing)
            await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._threads.shutdown()
        self._database_threads.shutdown()

    async def _listen(self) -> None:
        """Wake up for executions that were accepted."""
        async with once_reachable(self._context.events.subscribe(PIPELINE_PROGRESS, is_accepted)) as events:
            async for _ in events:
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
            if self._expected.may_find:
                await self._look()
            else:
                await self._expected.wait(LOOK_S)

    async def _look(self) -> None:
        total, claim = self._expected.total, self._claim_of_now()
        try:
            if self._expected.announced or await self._on_database(self._has_waiting):
                await self._on_database(partial(self._claim, claim))
            else:
                self._expected.found_none(total)
        except Unavailable as error:
            _log.warning("executions wait", code=error.code)
            self._expected.found_none(total)

    def _has_waiting(self) -> bool:
        with self._context.database.read() as session:
            return has_waiting(session)

    def _claim(self, claim: Callable[[Session], None]) -> None:
        with self._context.database.local_transaction() as session:
            claim(session)

    def _another(self) -> Callable[[Session], None] | None:
        # One more than there are slots for a moment: that which ends.
        busy = len(self._running) - len(self._over)
        more = not self._stopping and self._expected.may_find and busy <= self._slots
        return self._claim_of_now() if more else None

    def _claim_of_now(self) -> Callable[[Session], None]:
        """Return what claims the next execution in a transaction; it begins once that is committed."""
        total, loop = self._expected.total, asyncio.get_running_loop()

        def claim(session: Session) -> None:
            lease_s, most = self._context.settings.execution_lease_s, self._context.settings.execution_attempts
            job, found = next_job(session, self.worker_id, lease_s=lease_s, most_attempts=most)
            # By the thread that commits, whoever waits for it: a worker that stops finds it among what runs.
            follow_commit(session, "claimed", lambda: loop.call_soon_threadsafe(self._take, job, found, total))

        return claim

    def _take(self, job: Job | None, found: Claimed, total: int) -> None:
        if job is None:
            self._expected.found_none(total)
        else:
            self._expected.found_one(total)
            self._start(job)
        for record in found.ended:
            announce(self._context.events, record)

    def _start(self, job: Job) -> None:
        task = asyncio.create_task(ExecutionRunner(self._tools, job).run(), name=_name_of(job.claim.execution_id))
        self._running.add(task)
        task.add_done_callback(self._ended)
        if len(self._running) >= self._slots:
            self._free.clear()

    def _has_ended(self, execution_id: str) -> None:
        self._over.add(_name_of(execution_id))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._over.discard(task.get_name())
        if len(self._running) < self._slots:
            self._free.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("execution left to its lease", error=type(error).__name__, exc_info=error)

    async def _on_database(self, work: Callable[[], Any]) -> Any:
        writing = asyncio.get_running_loop().run_in_executor(self._database_threads, work)
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        # Whoever waits may be cancelled: what has begun is still known as under way.
        return await outlasting(writing)


def _name_of(execution_id: str) -> str:
    return f"execution {execution_id}"
