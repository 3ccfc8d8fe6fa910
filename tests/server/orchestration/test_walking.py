"""Steps begin when what they take is there, independent ones at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inspection.components.values import DetectionList
from inspection.imaging.files import ImageLimits
from inspection.imaging.picture import Picture
from inspection.pipeline import PipelineDefinition, ValidatedPipeline, validate_definition
from inspection.pipeline.runner import StepProgress
from inspection.pipeline.validation import ValidatedStep
from models.errors import InvalidInput
from server.objects.store import ObjectStore
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork, Work
from server.orchestration.walking import Value, Walked, walk


def pipeline(**inputs: str) -> ValidatedPipeline:
    """Return a pipeline of resize steps, each with its source."""
    steps = [{"id": name, "component": "resize", "inputs": {"image": source}} for name, source in inputs.items()]
    return validate_definition(PipelineDefinition.parse({"name": "P", "steps": steps}))


def original(folder: Path) -> StepImage:
    work = Work(ObjectStore(folder.as_uri()), ThreadPoolExecutor(1), ImageLimits())
    return StepImage(RunWork(work), picture=Picture.original(np.zeros((4, 4, 3), np.uint8)))


def test_independent_steps_run_at_the_same_time(tmp_path: Path) -> None:
    both = asyncio.Barrier(2)

    async def run(step: ValidatedStep, inputs: Mapping[str, Value]) -> Value:
        del step, inputs
        await both.wait()
        return DetectionList(())

    async def both_meet() -> Walked:
        async with asyncio.timeout(10):
            return await walk(pipeline(a="input", b="input"), original(tmp_path), run, lambda *_: None)

    assert list(asyncio.run(both_meet()).values) == ["a", "b"]


def test_a_step_gets_what_its_source_gave(tmp_path: Path) -> None:
    given: dict[str, Value] = {}
    first = original(tmp_path)

    async def run(step: ValidatedStep, inputs: Mapping[str, Value]) -> Value:
        given[step.id] = inputs["image"]
        return DetectionList(()) if step.id == "b" else original(tmp_path)

    walked = asyncio.run(walk(pipeline(b="a", a="input"), first, run, lambda *_: None))
    assert given["a"] is first
    assert given["b"] is walked.values["a"]


def test_progress_is_reported_before_a_step_begins(tmp_path: Path) -> None:
    seen: list[tuple[str, str, int]] = []

    async def run(step: ValidatedStep, inputs: Mapping[str, Value]) -> Value:
        del step, inputs
        return DetectionList(())

    def report(progress: StepProgress, milliseconds: float) -> None:
        assert milliseconds >= 0
        seen.append((progress.step_id, progress.status, progress.done))

    asyncio.run(walk(pipeline(a="input", b="a"), original(tmp_path), run, report))
    assert seen == [("a", "running", 0), ("a", "completed", 1), ("b", "running", 1), ("b", "completed", 2)]


def test_the_error_of_a_step_ends_the_others(tmp_path: Path) -> None:
    cancelled: list[str] = []

    async def run(step: ValidatedStep, inputs: Mapping[str, Value]) -> Value:
        del inputs
        if step.id == "a":
            raise InvalidInput("request-malformed")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(step.id)
            raise
        return DetectionList(())

    with pytest.raises(InvalidInput):
        asyncio.run(walk(pipeline(a="input", b="input"), original(tmp_path), run, lambda *_: None))
    assert cancelled == ["b"]
