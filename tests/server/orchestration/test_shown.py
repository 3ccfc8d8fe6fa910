"""The picture that a pipeline shows is encoded as soon as its step has given it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inspection.imaging.files import ImageLimits, decode_image
from inspection.imaging.picture import Picture
from inspection.pipeline import PipelineDefinition, ValidatedPipeline, validate_definition
from server.objects.store import ObjectStore
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork, Work
from server.orchestration.shown import EncodedPicture, ShownPicture

PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


@pytest.fixture
def work(tmp_path: Path) -> RunWork:
    """Return the work of a run."""
    return RunWork(Work(ObjectStore(tmp_path.as_uri()), ThreadPoolExecutor(1), ImageLimits()))


def pipeline(inputs: Mapping[str, str]) -> ValidatedPipeline:
    """Return a pipeline of resize steps, each with its source."""
    steps = [{"id": name, "component": "resize", "inputs": {"image": source}} for name, source in inputs.items()]
    return validate_definition(PipelineDefinition.parse({"name": "P", "steps": steps}))


def shown_of(work: RunWork, of: ValidatedPipeline, seen: Mapping[str, Picture]) -> EncodedPicture | None:
    """Return the picture that a pipeline shows whose steps gave the pictures of ``seen``."""

    async def encoded() -> EncodedPicture | None:
        async with ShownPicture(work, of) as shown:
            for step in of.steps:
                if step.id in seen:
                    shown.see(step, StepImage(work, picture=seen[step.id]))
            return await shown.encoded()

    return asyncio.run(encoded())


def test_the_last_picture_that_no_step_takes_is_shown(work: RunWork) -> None:
    pictures = {"a": Picture.original(np.zeros((2, 2, 3), np.uint8)), "b": Picture.original(PIXELS)}
    shown = shown_of(work, pipeline({"a": "input", "b": "a"}), pictures)
    assert shown is not None
    assert (shown.width, shown.height) == (5, 4)
    assert np.array_equal(decode_image(shown.data), PIXELS)


def test_a_grey_picture_is_shown_in_colour(work: RunWork) -> None:
    shown = shown_of(work, pipeline({"a": "input"}), {"a": Picture.original(PIXELS[..., 0])})
    assert shown is not None
    assert np.array_equal(decode_image(shown.data, mode="as-stored")[..., 1], PIXELS[..., 0])


def test_nothing_is_shown_where_no_step_gave_the_picture(work: RunWork) -> None:
    assert shown_of(work, pipeline({"a": "input", "b": "a"}), {"a": Picture.original(PIXELS)}) is None


def test_a_block_that_is_left_ends_the_encoding(work: RunWork) -> None:
    async def left() -> set[str]:
        of = pipeline({"a": "input"})
        async with ShownPicture(work, of) as shown:
            shown.see(of.steps[0], StepImage(work, picture=Picture.original(PIXELS)))
        return {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}

    assert asyncio.run(left()) == set()
