"""Pictures that are stored for a service elsewhere."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inspection.imaging.files import ImageLimits
from inspection.imaging.picture import Picture
from server.objects.store import ObjectStore
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork, Work

PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


@pytest.fixture
def work(tmp_path: Path) -> RunWork:
    """Return the work of a run."""
    return RunWork(Work(ObjectStore(tmp_path.as_uri()), ThreadPoolExecutor(1), ImageLimits()))


def test_a_picture_between_steps_comes_back_as_it_was(work: RunWork) -> None:
    stored = asyncio.run(StepImage(work, picture=Picture.original(PIXELS)).stored())
    assert np.array_equal(asyncio.run(StepImage(work, stored=stored).picture()).pixels, PIXELS)


def test_the_size_of_a_stored_picture_is_that_of_its_object(work: RunWork) -> None:
    stored = asyncio.run(StepImage(work, picture=Picture.original(PIXELS)).stored())
    assert [one.size for one in work.objects.listed()] == [stored.size_bytes]


def test_a_picture_between_steps_is_stored_under_a_name_of_its_own(work: RunWork) -> None:
    images = [StepImage(work, picture=Picture.original(PIXELS)) for _ in range(2)]
    keys = {asyncio.run(image.stored()).object_key for image in (*images, *images)}
    assert len(keys) == 2
