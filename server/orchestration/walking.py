"""The walk over a pipeline's steps: each begins when what it takes is there, independent ones at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from inspection.components.values import StepValue
from inspection.pipeline.definition import INPUT
from inspection.pipeline.runner import StepProgress
from inspection.pipeline.validation import ValidatedPipeline, ValidatedStep
from models.results import StepTiming
from server.orchestration.images import StepImage

Value = StepValue | StepImage
"""What a step takes and gives here; a ``StepImage`` stands for a ``Picture``."""
RunStep = Callable[[ValidatedStep, Mapping[str, Value]], Awaitable[Value]]


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk gave.

    Attributes:
        values: by step, in the order of the pipeline.
        timings: in the same order.
    """

    values: dict[str, Value]
    timings: list[StepTiming]


async def walk(
    pipeline: ValidatedPipeline, original: StepImage, run_step: RunStep, report: Callable[[StepProgress, float], None]
) -> Walked:
    """Run every step of a pipeline and return what they gave.

    When one fails the others are cancelled, and its error is raised.

    Args:
        pipeline: whose steps they are.
        original: the input image.
        run_step: runs one step, given its inputs by port.
        report: called before and after every step, with the milliseconds that it took.
    """
    total = len(pipeline.steps)
    done = 0
    tasks: dict[str, asyncio.Task[tuple[Value, float]]] = {}

    async def value_of(source: str) -> Value:
        return original if source == INPUT else (await tasks[source])[0]

    async def run(step: ValidatedStep) -> tuple[Value, float]:
        nonlocal done
        inputs = {port: await value_of(source) for port, source in step.inputs.items()}
        report(StepProgress(step.id, step.component.name, "running", done, total), 0.0)
        began = time.perf_counter()
        value = await run_step(step, inputs)
        spent = (time.perf_counter() - began) * 1000
        done += 1
        report(StepProgress(step.id, step.component.name, "completed", done, total), spent)
        return value, spent

    for step in pipeline.steps:  # inputs come before their use, so each finds the tasks that it waits for
        tasks[step.id] = asyncio.create_task(run(step), name=f"step {step.id}")
    try:
        await asyncio.gather(*tasks.values())
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    values = {step.id: tasks[step.id].result()[0] for step in pipeline.steps}
    timings = [
        StepTiming(step_id=step.id, component=step.component.name, milliseconds=tasks[step.id].result()[1])
        for step in pipeline.steps
    ]
    return Walked(values, timings)
