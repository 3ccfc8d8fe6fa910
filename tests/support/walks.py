"""Walks over pipelines whose components a test plants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inspection.components.registry import StepContext
from inspection.components.values import StepValue
from inspection.imaging.files import ImageLimits
from inspection.imaging.picture import Picture
from inspection.judging.judgement import Criteria
from inspection.pipeline import PipelineDefinition, ValidatedPipeline, validate_definition
from inspection.pipeline.runner import StepProgress
from server.core.tracing import NoTracing, Tracing
from server.objects.store import ObjectStore
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork, Work
from server.orchestration.steps import StepRunner
from server.orchestration.walking import Walk, Walked
from server.services.step_services import StepServices
from tests.support.worker_runs import no_model

DEADLINE_S = 10.0
"""Seconds that a step of a test waits for what never comes where a test fails."""
Run = Callable[[Mapping[str, StepValue], StepContext], StepValue]


def coloured(seed: int = 0) -> Picture:
    return Picture.original(np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8))


ORIGINAL = coloured()
_PARAMETERS = {"crop": {"rectangle": {"x": 0, "y": 0, "width": 4, "height": 4}}}
"""Of components that have no defaults for all of theirs."""


def a_picture(_inputs: Mapping[str, StepValue], _context: StepContext) -> Picture:
    """Do nothing but give a picture."""
    return coloured(1)


def pipeline(steps: Mapping[str, tuple[str, str]], **runs: Run) -> ValidatedPipeline:
    """Return a pipeline.

    Args:
        steps: component and source of each, by its id.
        runs: what steps do by id; the others do what their component does.
    """
    listed = [
        {"id": name, "component": kind, "inputs": {"image": source}, "parameters": _PARAMETERS.get(kind, {})}
        for name, (kind, source) in steps.items()
    ]
    valid = validate_definition(PipelineDefinition.parse({"name": "P", "steps": listed}))

    def planted(run: Run) -> Callable[..., StepValue]:
        return lambda _parameters, inputs, context: run(inputs, context)

    return replace(
        valid,
        steps=tuple(
            replace(step, component=replace(step.component, run=planted(runs[step.id]))) if step.id in runs else step
            for step in valid.steps
        ),
    )


def resizes(inputs: Mapping[str, str], **runs: Run) -> ValidatedPipeline:
    """Return a pipeline of resize steps, each with its source; see ``pipeline``."""
    return pipeline({name: ("resize", source) for name, source in inputs.items()}, **runs)


@contextmanager
def works(objects: Path | ObjectStore, threads: int = 4) -> Iterator[Work]:
    """Have threads and an object store, in a folder unless it is given; the block ends with the threads."""
    store = ObjectStore(objects.as_uri()) if isinstance(objects, Path) else objects
    with ThreadPoolExecutor(threads) as executor:
        yield Work(store, executor, ImageLimits())


async def walked(
    work: Work,
    of: ValidatedPipeline,
    services: StepServices | None = None,
    report: Callable[[StepProgress, float], None] = lambda *_: None,
    tracing: Tracing | NoTracing | None = None,
    take: Callable[[Walked], Any] = lambda walked: walked,
) -> Any:
    """Walk over a pipeline on ``ORIGINAL`` as a run of its own, and return what that gave."""
    async with asyncio.timeout(3 * DEADLINE_S), RunWork(work) as run:
        steps = StepRunner(run, StepContext(Criteria(), no_model, cancel=run.cancel), services)
        original = StepImage(run, picture=ORIGINAL)
        return await Walk(run, of, original, steps, report, take, tracing or NoTracing()).run()


def picture_of(walk: Walked, step: str) -> Picture:
    """Return the picture that a step gave."""
    value = walk.values[step]
    assert isinstance(value, StepImage)
    return value.picture()
