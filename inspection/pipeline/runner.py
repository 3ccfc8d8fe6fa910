"""Running a pipeline on an image."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from inspection.components.registry import StepContext
from inspection.components.values import StepValue
from inspection.imaging.frames import Frame, Pixels
from inspection.imaging.picture import Picture
from inspection.judging.judgement import Criteria
from inspection.model_files.step_models import ModelFinder, StepModel
from inspection.pipeline.definition import INPUT
from inspection.pipeline.outcome import InspectionOutcome, assemble_outcome
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep, require_models_fit
from inspection.pipeline.value_ranges import require_range_of_models
from models.errors import DoesNotFit
from models.results import StepTiming


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Progress of a run.

    Attributes:
        step_id: the step that begins or has ended.
        component: its component.
        status: ``running`` or ``completed``.
        done: steps completed.
        total: steps in all.
    """

    step_id: str
    component: str
    status: Literal["running", "completed"]
    done: int
    total: int


class StepExecutor(Protocol):
    """Where a step runs: in this process, or in a service elsewhere."""

    def execute(self, step: ValidatedStep, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
        """Run one step and return its value."""
        ...


class InProcess:
    """Runs steps in this process, in the thread of the caller."""

    def execute(self, step: ValidatedStep, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
        """Run one step and return its value."""
        return step.component.run(step.parameters, inputs, context)


class Runner:
    """Runs one pipeline on image after image; may be used from several threads.

    Args:
        pipeline: to run.
        models: the models by the names the steps use, or a function that returns one for a name.
        executor: where steps run.

    Raises:
        DoesNotFit: ``pipeline-model-missing`` when ``models`` is a mapping without a model the pipeline names,
            ``pipeline-model-kind`` when it has one of a kind that its step cannot use, ``pipeline-model-class`` when
            a step names a class that its model does not know.
    """

    def __init__(
        self,
        pipeline: ValidatedPipeline,
        models: Mapping[str, StepModel] | ModelFinder | None = None,
        executor: StepExecutor | None = None,
    ) -> None:
        self.pipeline = pipeline
        self._executor: StepExecutor = executor or InProcess()
        if callable(models):
            self._find_model: ModelFinder = models
            return
        given = dict(models or {})
        for name in sorted(self.pipeline.models() - given.keys()):
            raise DoesNotFit("pipeline-model-missing", name=name, pipeline=pipeline.definition.name)
        require_models_fit(self.pipeline, given)
        self._find_model = given.__getitem__

    def run(
        self,
        image: Frame | Pixels,
        criteria: Criteria | None = None,
        *,
        on_progress: Callable[[StepProgress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> InspectionOutcome:
        """Run the pipeline on one image and judge it.

        Args:
            image: a frame, or uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.
            criteria: the rule; the default takes the model's threshold and tolerates no detection.
            on_progress: called before and after every step, in this thread.
            cancel: set it to stop before the next step, or within one that takes long.

        Raises:
            InspectionCancelled: when ``cancel`` was set.
            DoesNotFit: when an image does not fit a model (``image-scale``, ``image-range-differs``), or a model its
                step (``pipeline-model-kind``).
        """
        rule = criteria or Criteria()
        if isinstance(image, Frame) and image.values is not None:
            require_range_of_models(image, (self._find_model(name) for name in sorted(self.pipeline.models())))
        context = StepContext(rule, self._find_model, cancel=cancel)
        original = Picture.original(image.pixels if isinstance(image, Frame) else image)
        values: dict[str, StepValue] = {INPUT: original}
        timings: list[StepTiming] = []
        began = time.perf_counter()

        def report(step: ValidatedStep, status: Literal["running", "completed"]) -> None:
            if on_progress is not None:
                total = len(self.pipeline.steps)
                on_progress(StepProgress(step.id, step.component.name, status, len(timings), total))

        for step in self.pipeline.steps:
            context.stop_if_cancelled()
            report(step, "running")
            inputs = {port: values[source] for port, source in step.inputs.items()}
            step_began = time.perf_counter()
            values[step.id] = self._executor.execute(step, inputs, replace(context, step_id=step.id))
            spent = (time.perf_counter() - step_began) * 1000
            timings.append(StepTiming(step_id=step.id, component=step.component.name, milliseconds=spent))
            report(step, "completed")
        spent_ms = (time.perf_counter() - began) * 1000
        return assemble_outcome(self.pipeline, values, rule, timings, spent_ms)
