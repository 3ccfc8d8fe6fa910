"""The walk over a pipeline's steps: each begins when what it takes is there, independent ones at the same time.

Steps here run on threads, and so do first attempts of those in services of this process. Steps in services over gRPC
and further attempts, with the pauses between them, run in the event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from inspection.pipeline.definition import INPUT
from inspection.pipeline.runner import StepProgress
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep
from models.errors import ImageFlowError
from models.results import StepTiming
from server.core.structlog_import import structlog
from server.core.tracing import NoTracing, Span, Tracing
from server.orchestration.first_attempts import FirstAttempts
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork
from server.orchestration.shown import EncodedPicture, encoded, shown_step
from server.orchestration.steps import ModelNotInServiceError, Place, StepRunner, Value
from server.orchestration.unit_group import Unit, UnitGroup
from server.services.step_services import AttemptGivenUpError, AttemptUnansweredError

if TYPE_CHECKING:
    from server.services.embedded import EmbeddedCall

T = TypeVar("T")
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


class Walk(Generic[T]):
    """One walk, made in its event loop; ``run`` it once.

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
        self._group: UnitGroup[T] = UnitGroup(work, _log_fault)
        self._lock = self._group.lock
        self._first_attempts = FirstAttempts(self._lock, self._group.require_going_on)
        self._missing = {step.id: set(step.inputs.values()) - {INPUT} for step in pipeline.steps}
        self._values: dict[str, Value] = {}
        self._spent: dict[str, float] = {}
        self._shown = shown_step(pipeline)
        self._pending = len(pipeline.steps) + (self._shown is not None)
        self._picture: EncodedPicture | None = None
        self._began = self._ended = 0.0

    async def run(self) -> T:
        """Run every step and return what ``take`` made of it.

        When one fails the others are cancelled, and its error is raised; so they are when the caller is cancelled. The
        run's own work ends with the block of its ``RunWork``.

        Raises:
            UserFacingError: as the steps.
        """
        embedded = [step for step in self._pipeline.steps if self._places[step.id] is Place.EMBEDDED]
        shortest_s = await self._steps.ready(embedded)
        if shortest_s is not None:
            self._first_attempts.give_up_overdue(shortest_s)
        self._began = time.perf_counter()
        try:
            for unit in self._units(self._ready_steps()):
                self._group.submit(unit)
            return await self._group.result()
        finally:
            self._group.end()
            self._first_attempts.abandon()
            await self._group.cancel_tasks()

    # On threads.

    def _here(self, step: ValidatedStep, inputs: Mapping[str, Value], began: float) -> list[Unit]:
        with self._span(step):
            value = self._steps.here(step, inputs)
        return self._completed(step, value, began)

    def _embedded(self, step: ValidatedStep, inputs: Mapping[str, Value], began: float) -> list[Unit]:
        call = self._steps.embedded_call(step, inputs)
        answered = partial(self._answered, step, inputs, call, began)
        value: Value | None = None
        if self._work.first_attempts.acquire(blocking=False):
            try:
                with self._first_attempts.under_way(call, partial(self._group.start_task, answered)):
                    value = self._first_attempt(step, inputs, call)
            except AttemptGivenUpError:
                return []  # The event loop goes on with the step, or nobody does.
            finally:
                self._work.first_attempts.release()
        if value is None:
            self._group.submit_to_loop(answered)
            return []
        return self._completed(step, value, began)

    def _first_attempt(self, step: ValidatedStep, inputs: Mapping[str, Value], call: EmbeddedCall) -> Value | None:
        """Return what a step's service gave on this thread; None when another attempt has to be made.

        Raises:
            AttemptGivenUpError: when it was given up meanwhile.
        """
        # An attempt that is followed by another one does not fail the step's span.
        with self._span(step):
            try:
                with self._steps.service_errors(step, inputs):
                    return self._steps.taken(call.first_attempt())
            except ModelNotInServiceError:
                return self._steps.here(step, inputs)
            except AttemptUnansweredError:
                return None

    def _encode(self, value: Value) -> list[Unit]:
        if isinstance(value, StepImage):
            self._picture = encoded(value.picture())
        return self._finish_if_last()

    def _finish(self) -> list[Unit]:
        timings = [
            StepTiming(step_id=step.id, component=step.component.name, milliseconds=self._spent[step.id])
            for step in self._pipeline.steps
        ]
        values = {step.id: self._values[step.id] for step in self._pipeline.steps}
        taken = self._take(Walked(values, timings, (self._ended - self._began) * 1000, self._picture))
        self._group.succeed(taken)
        return []

    # On threads and in the event loop.

    def _ready_steps(self) -> list[ValidatedStep]:
        """Return the steps that may begin now, each once; the lock is held, or no thread has begun."""
        ready = [step for step in self._pipeline.steps if self._missing.get(step.id) == set()]
        for step in ready:
            del self._missing[step.id]
        return ready

    def _units(self, steps: Iterable[ValidatedStep]) -> list[Unit]:
        """Begin steps: return the work of those that run on threads, give the others to the event loop."""
        here = []
        for step in steps:
            if self._places[step.id] is Place.SERVICE:
                self._group.submit_to_loop(partial(self._served, step))
            else:
                here.append(step)
        units: list[Unit] = [partial(self._begin, step) for step in here]
        images = {value for step in here for value in self._inputs(step).values() if isinstance(value, StepImage)}
        missing = [image for image in images if not image.in_memory]
        # Of several steps that wait for a picture each would keep a thread waiting.
        return [partial(self._bring, missing, units)] if missing and len(units) > 1 else units

    def _bring(self, images: Iterable[StepImage], units: list[Unit]) -> list[Unit]:
        for image in images:
            image.picture()
        return units

    def _begin(self, step: ValidatedStep) -> list[Unit]:
        run = self._embedded if self._places[step.id] is Place.EMBEDDED else self._here
        return run(step, *self._begun(step))

    def _inputs(self, step: ValidatedStep) -> dict[str, Value]:
        return {
            port: self._original if source == INPUT else self._values[source] for port, source in step.inputs.items()
        }

    def _begun(self, step: ValidatedStep) -> tuple[Mapping[str, Value], float]:
        """Report that a step begins; return what it takes, and when that was."""
        with self._lock:
            self._group.require_going_on()
            done, total = len(self._values), len(self._pipeline.steps)
            self._report(StepProgress(step.id, step.component.name, "running", done, total), 0.0)
        return self._inputs(step), time.perf_counter()

    def _completed(self, step: ValidatedStep, value: Value, began: float) -> list[Unit]:
        """Keep what a step gave, report it, and return the work that may begin."""
        ended = time.perf_counter()
        spent = (ended - began) * 1000
        with self._lock:
            self._group.require_going_on()
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
        return units + self._finish_if_last()

    def _finish_if_last(self) -> list[Unit]:
        """Count pending work down; return the end of the walk after the last of it, and nothing before."""
        with self._lock:
            self._pending -= 1
            return [] if self._pending else [self._finish]

    def _span(self, step: ValidatedStep) -> AbstractContextManager[Span]:
        return self._tracing.span(f"step {step.component.name}", {"imageflow.step": step.id})

    # In the event loop.

    async def _served(self, step: ValidatedStep) -> list[Unit]:
        inputs, began = self._begun(step)
        with self._span(step):
            try:
                value = await self._steps.by_service(step, inputs)
            except ModelNotInServiceError:
                value = await self._work.on_thread(self._steps.here, step, inputs)
        return self._completed(step, value, began)

    async def _answered(
        self, step: ValidatedStep, inputs: Mapping[str, Value], call: EmbeddedCall, began: float
    ) -> list[Unit]:
        with self._span(step):
            try:
                with self._steps.service_errors(step, inputs):
                    value = self._steps.taken(await call.answer())
            except ModelNotInServiceError:
                value = await self._work.on_thread(self._steps.here, step, inputs)
        return self._completed(step, value, began)


def _log_fault(error: Exception) -> None:
    """Log a fault of a step whose walk has ended; an error for users concerns nobody any more."""
    if not isinstance(error, ImageFlowError):
        _log.error("a step of a run that was stopped failed", error=repr(error))
