"""The walk over a pipeline's steps: each begins when what it takes is there, independent ones at the same time.

The thread that ends a step goes on with what may begin then, and hands the rest to other threads: the event loop, which
many clients wait for, has nothing to do between the steps. It runs what waits for another process: steps in services
over gRPC, and further attempts of those in this process, with the pauses between them.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from inspection.pipeline.definition import INPUT
from inspection.pipeline.runner import StepProgress
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep
from models.errors import ImageFlowError
from models.results import StepTiming
from server.core.structlog_import import structlog
from server.core.tracing import NoTracing, Span, Tracing
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork
from server.orchestration.shown import EncodedPicture, encoded, shown_step
from server.orchestration.steps import ModelNotInServiceError, Place, StepRunner, Value
from server.services.step_services import AttemptGivenUpError, AttemptUnansweredError

if TYPE_CHECKING:
    from server.services.embedded import EmbeddedCall

T = TypeVar("T")
_Unit = Callable[[], "list[_Unit]"]
"""Work of a thread; returns what may begin after it."""
_log = structlog.get_logger("imageflow.server")


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk gave.

    Attributes:
        values: by step, in the order of the pipeline.
        timings: in the same order.
        milliseconds: from the walk's begin to the last step's end.
        picture: the picture that the pipeline shows, as PNG; None when it shows none.
    """

    values: dict[str, Value]
    timings: list[StepTiming]
    milliseconds: float
    picture: EncodedPicture | None


@dataclass(frozen=True, slots=True)
class _Watched:
    """A first attempt that a thread makes."""

    step: ValidatedStep
    inputs: Mapping[str, Value]
    call: EmbeddedCall
    began: float
    ends: float


class _OverError(ImageFlowError):
    """The walk has ended: nobody waits for what a thread does."""


class Walk(Generic[T]):
    """One walk; ``run`` it once.

    Args:
        work: of the run.
        pipeline: whose steps they are.
        original: the input image.
        steps: runs one step.
        report: called before and after every step, one call at a time, with the milliseconds that it took.
        take: called on a thread with what the walk gave; what it returns, ``run`` does.
        tracing: makes a span for every step.
    """

    def __init__(
        self,
        work: RunWork,
        pipeline: ValidatedPipeline,
        original: StepImage,
        steps: StepRunner,
        report: Callable[[StepProgress, float], None],
        take: Callable[[Walked], T],
        tracing: Tracing | NoTracing,
    ) -> None:
        self._work = work
        self._pipeline = pipeline
        self._original = original
        self._steps = steps
        self._places = {step.id: steps.place_of(step) for step in pipeline.steps}
        self._report = report
        self._take = take
        self._tracing = tracing
        self._lock = threading.Lock()
        self._missing = {step.id: set(step.inputs.values()) - {INPUT} for step in pipeline.steps}
        self._values: dict[str, Value] = {}
        self._spent: dict[str, float] = {}
        self._shown = shown_step(pipeline)
        self._left = len(pipeline.steps) + (self._shown is not None)
        self._picture: EncodedPicture | None = None
        self._began = self._ended = 0.0
        self._stopped = False
        self._watched: dict[str, _Watched] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._context = contextvars.copy_context()
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Future[T]
        self._looking: asyncio.TimerHandle | None = None

    async def run(self) -> T:
        """Run every step and return what ``take`` made of it.

        When one fails the others are cancelled, and its error is raised; so they are when the caller is cancelled. The
        run's own work ends with the block of its ``RunWork``.

        Raises:
            UserFacingError: as the steps.
        """
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        embedded = [step for step in self._pipeline.steps if self._places[step.id] is Place.EMBEDDED]
        shortest_s = await self._steps.ready(embedded)
        if shortest_s is not None:
            self._look_for_overdue(shortest_s)
        self._began = time.perf_counter()
        try:
            for unit in self._units(self._ready_steps()):
                self._submit(unit)
            return await self._over
        finally:
            await self._leave()

    async def _leave(self) -> None:
        """End what nobody waits for any more; nothing begins and nothing is reported after it."""
        with self._lock:
            self._stopped = True
            watched = list(self._watched.values())
        if self._looking is not None:
            self._looking.cancel()
        for one in watched:
            one.call.abandon()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    # On threads.

    def _go_on(self, unit: _Unit) -> None:
        """Do work and what may begin after it; of several, one here."""
        following: list[_Unit] = [unit]
        try:
            while following:
                self._work.stop_if_cancelled()
                first, *others = following
                for other in others:
                    self._submit(other)
                following = first()
        except (_OverError, AttemptGivenUpError):
            return  # Nobody waits for it, or the event loop goes on with the step.
        except Exception as error:  # noqa: BLE001 - it is raised where the run is waited for
            self._fail(error)
        except BaseException as error:
            self._fail(RuntimeError(repr(error)))
            raise

    def _submit(self, unit: _Unit) -> None:
        self._work.submit(partial(self._context.copy().run, self._go_on, unit))

    def _here(self, step: ValidatedStep, inputs: Mapping[str, Value], began: float) -> list[_Unit]:
        with self._span(step):
            value = self._steps.here(step, inputs)
        return self._completed(step, value, began)

    def _embedded(self, step: ValidatedStep, inputs: Mapping[str, Value], began: float) -> list[_Unit]:
        call = self._steps.embedded_call(step, inputs)
        value: Value | None = None
        if self._work.first_attempts.acquire(blocking=False):
            try:
                value = self._first_attempt(step, inputs, call, began)
            finally:
                self._work.first_attempts.release()
        if value is None:
            self._on_loop(partial(self._answered, step, inputs, call, began))
            return []
        return self._completed(step, value, began)

    def _first_attempt(
        self, step: ValidatedStep, inputs: Mapping[str, Value], call: EmbeddedCall, began: float
    ) -> Value | None:
        """Return what a step's service gave on this thread; None when another attempt has to be made.

        Raises:
            AttemptGivenUpError: when the event loop goes on with the step, or nobody does.
        """
        # An attempt that is followed by another one does not fail the step's span.
        with self._watching(step, inputs, call, began), self._span(step):
            try:
                with self._steps.service_errors(step, inputs):
                    return self._steps.taken(call.first_attempt())
            except ModelNotInServiceError:
                return self._steps.here(step, inputs)
            except AttemptUnansweredError:
                return None

    @contextmanager
    def _watching(
        self, step: ValidatedStep, inputs: Mapping[str, Value], call: EmbeddedCall, began: float
    ) -> Iterator[None]:
        """Let a first attempt be given up at its deadline within the block, and at the walk's end."""
        with self._lock:
            self._require_going_on()
            self._watched[step.id] = _Watched(step, inputs, call, began, time.monotonic() + call.timeout_s)
        try:
            yield
        finally:
            with self._lock:
                del self._watched[step.id]

    def _encode(self, value: Value) -> list[_Unit]:
        if isinstance(value, StepImage):
            self._picture = encoded(value.picture())
        return self._one_less()

    def _finish(self) -> list[_Unit]:
        timings = [
            StepTiming(step_id=step.id, component=step.component.name, milliseconds=self._spent[step.id])
            for step in self._pipeline.steps
        ]
        values = {step.id: self._values[step.id] for step in self._pipeline.steps}
        taken = self._take(Walked(values, timings, (self._ended - self._began) * 1000, self._picture))
        self._call(partial(self._give, taken))
        return []

    # On threads and in the event loop.

    def _ready_steps(self) -> list[ValidatedStep]:
        """Return the steps that may begin now, each once; the lock is held, or no thread has begun."""
        ready = [step for step in self._pipeline.steps if self._missing.get(step.id) == set()]
        for step in ready:
            del self._missing[step.id]
        return ready

    def _units(self, steps: Iterable[ValidatedStep]) -> list[_Unit]:
        """Begin steps: return the work of those that run on threads, give the others to the event loop."""
        here = []
        for step in steps:
            if self._places[step.id] is Place.SERVICE:
                self._on_loop(partial(self._served, step))
            else:
                here.append(step)
        units: list[_Unit] = [partial(self._begin, step) for step in here]
        images = {value for step in here for value in self._inputs(step).values() if isinstance(value, StepImage)}
        missing = [image for image in images if not image.in_memory]
        # Of several steps that wait for a picture each would keep a thread waiting.
        return [partial(self._bring, missing, units)] if missing and len(units) > 1 else units

    def _bring(self, images: Iterable[StepImage], units: list[_Unit]) -> list[_Unit]:
        for image in images:
            image.picture()
        return units

    def _begin(self, step: ValidatedStep) -> list[_Unit]:
        run = self._embedded if self._places[step.id] is Place.EMBEDDED else self._here
        return run(step, *self._begun(step))

    def _inputs(self, step: ValidatedStep) -> dict[str, Value]:
        return {
            port: self._original if source == INPUT else self._values[source] for port, source in step.inputs.items()
        }

    def _begun(self, step: ValidatedStep) -> tuple[Mapping[str, Value], float]:
        """Report that a step begins; return what it takes, and when that was."""
        with self._lock:
            self._require_going_on()
            done, total = len(self._values), len(self._pipeline.steps)
            self._report(StepProgress(step.id, step.component.name, "running", done, total), 0.0)
        return self._inputs(step), time.perf_counter()

    def _completed(self, step: ValidatedStep, value: Value, began: float) -> list[_Unit]:
        """Keep what a step gave, report it, and return the work that may begin."""
        ended = time.perf_counter()
        spent = (ended - began) * 1000
        with self._lock:
            self._require_going_on()
            self._values[step.id], self._spent[step.id] = value, spent
            self._ended = max(self._ended, ended)
            done, total = len(self._values), len(self._pipeline.steps)
            self._report(StepProgress(step.id, step.component.name, "completed", done, total), spent)
            for missing in self._missing.values():
                missing.discard(step.id)
            ready = self._ready_steps()
        units = self._units(ready)
        if step.id == self._shown:
            units.append(partial(self._encode, value))
        return units + self._one_less()

    def _one_less(self) -> list[_Unit]:
        """Count work that has ended; after the last of it the walk ends."""
        with self._lock:
            self._left -= 1
            return [] if self._left else [self._finish]

    def _require_going_on(self) -> None:
        """Check that the walk goes on; the lock is held.

        Raises:
            _OverError: when it has ended.
        """
        if self._stopped:
            raise _OverError

    def _span(self, step: ValidatedStep) -> AbstractContextManager[Span]:
        return self._tracing.span(f"step {step.component.name}", {"imageflow.step": step.id})

    def _fail(self, error: Exception) -> None:
        """End the walk with an error, from any thread; one that comes after its end is for the log."""
        with self._lock:
            late, self._stopped = self._stopped, True
        if not late:
            self._call(partial(self._raise, error))
        elif not isinstance(error, ImageFlowError):
            _log.error("a step of a run that was stopped failed", error=repr(error))

    def _on_loop(self, begin: Callable[[], Coroutine[Any, Any, list[_Unit]]]) -> None:
        """Run something in the event loop that gives the work which may begin after it, from any thread."""
        self._call(partial(self._start, begin))

    def _call(self, call: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(call, context=self._context.copy())
        except RuntimeError:
            # Nobody waits for a run whose loop has ended.
            if not self._loop.is_closed():
                raise

    # In the event loop.

    def _give(self, taken: T) -> None:
        if not self._over.done():
            self._over.set_result(taken)

    def _raise(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    def _start(self, begin: Callable[[], Coroutine[Any, Any, list[_Unit]]]) -> None:
        if self._stopped:
            return
        task = self._loop.create_task(self._then(begin))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _then(self, begin: Callable[[], Awaitable[list[_Unit]]]) -> None:
        try:
            for unit in await begin():
                self._submit(unit)
        except _OverError:
            return
        except asyncio.CancelledError:
            # By something else than the walk's end, as a channel or a pool that is closed: it must end all the same.
            if not self._stopped:
                self._fail(RuntimeError("a step was cancelled though its walk goes on"))
            raise
        except Exception as error:  # noqa: BLE001 - it is raised where the run is waited for
            self._fail(error)

    async def _served(self, step: ValidatedStep) -> list[_Unit]:
        inputs, began = self._begun(step)
        with self._span(step):
            try:
                value = await self._steps.by_service(step, inputs)
            except ModelNotInServiceError:
                value = await self._work.on_thread(self._steps.here, step, inputs)
        return self._completed(step, value, began)

    async def _answered(
        self, step: ValidatedStep, inputs: Mapping[str, Value], call: EmbeddedCall, began: float
    ) -> list[_Unit]:
        with self._span(step):
            try:
                with self._steps.service_errors(step, inputs):
                    value = self._steps.taken(await call.answer())
            except ModelNotInServiceError:
                value = await self._work.on_thread(self._steps.here, step, inputs)
        return self._completed(step, value, began)

    def _look_for_overdue(self, shortest_s: float) -> None:
        """Give up first attempts that are overdue, and look again when the next one may be."""
        now = time.monotonic()
        for watched in list(self._watched.values()):
            if watched.ends <= now and watched.call.overdue():
                self._start(partial(self._answered, watched.step, watched.inputs, watched.call, watched.began))
        # One that begins from now on is not overdue before the shortest deadline has passed.
        ends = [watched.ends - now for watched in list(self._watched.values()) if watched.ends > now]
        self._looking = self._loop.call_later(min([shortest_s, *ends]), self._look_for_overdue, shortest_s)
