"""Pictures that are stored for a service elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from inspection.imaging.files import ImageLimits
from inspection.imaging.picture import Picture
from server.objects.store import ObjectStore
from server.orchestration.images import StepImage
from server.orchestration.run_work import RunWork, Work

T = TypeVar("T")
PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


@pytest.fixture
def work(tmp_path: Path) -> RunWork:
    """Return the work of a run."""
    return RunWork(Work(ObjectStore(tmp_path.as_uri()), ThreadPoolExecutor(1), ImageLimits()))


def test_a_picture_between_steps_comes_back_as_it_was(work: RunWork) -> None:
    stored = StepImage(work, picture=Picture.original(PIXELS)).stored()
    assert np.array_equal(StepImage(work, stored=stored).picture().pixels, PIXELS)


def test_the_size_of_a_stored_picture_is_that_of_its_object(work: RunWork) -> None:
    stored = StepImage(work, picture=Picture.original(PIXELS)).stored()
    assert [one.size for one in work.objects.listed()] == [stored.size_bytes]


def test_a_picture_between_steps_is_stored_under_a_name_of_its_own(work: RunWork) -> None:
    images = [StepImage(work, picture=Picture.original(PIXELS)) for _ in range(2)]
    keys = {image.stored().object_key for image in (*images, *images)}
    assert len(keys) == 2


class Meeting(ObjectStore):
    """Waits for a moment for a second thread that stores or reads, whose turn must not come."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._both = threading.Barrier(2)

    def meet(self) -> None:
        with suppress(threading.BrokenBarrierError):
            self._both.wait(0.2)

    def put_made(self, *given: Any, **named: Any) -> Any:
        self.meet()
        return super().put_made(*given, **named)

    def read(self, *given: Any, **named: Any) -> bytes:
        self.meet()
        return super().read(*given, **named)


def on_two_threads(work: Callable[[], T]) -> list[T]:
    with ThreadPoolExecutor(2) as threads:
        return [future.result() for future in [threads.submit(work) for _ in range(2)]]


def test_a_picture_that_two_threads_want_stored_is_stored_once(tmp_path: Path) -> None:
    objects = Meeting(tmp_path.as_uri())
    work = RunWork(Work(objects, ThreadPoolExecutor(1), ImageLimits()))
    first, second = on_two_threads(StepImage(work, picture=Picture.original(PIXELS)).stored)
    assert first is second
    assert len(list(objects.listed())) == 1


def test_a_picture_that_two_threads_want_in_memory_is_loaded_once(tmp_path: Path) -> None:
    work = RunWork(Work(Meeting(tmp_path.as_uri()), ThreadPoolExecutor(1), ImageLimits()))
    stored = StepImage(work, picture=Picture.original(PIXELS)).stored()
    first, second = on_two_threads(StepImage(work, stored=stored).picture)
    assert first is second


def test_the_reference_of_a_picture_is_where_it_is_stored(work: RunWork) -> None:
    image = StepImage(work, picture=Picture.original(PIXELS))
    reference = asyncio.run(image.reference())
    assert reference is image.stored()
    assert np.array_equal(StepImage(work, stored=reference).picture().pixels, PIXELS)


def test_a_picture_for_its_reference_is_stored_on_a_thread(tmp_path: Path) -> None:
    threads: set[int] = set()

    class Objects(ObjectStore):
        def put_made(self, *given: Any, **named: Any) -> Any:
            threads.add(threading.get_ident())
            return super().put_made(*given, **named)

    made = RunWork(Work(Objects(tmp_path.as_uri()), ThreadPoolExecutor(1), ImageLimits()))
    asyncio.run(StepImage(made, picture=Picture.original(PIXELS)).reference())
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_the_reference_of_a_stored_picture_needs_no_thread(tmp_path: Path) -> None:
    threads = ThreadPoolExecutor(1)
    work = RunWork(Work(ObjectStore(tmp_path.as_uri()), threads, ImageLimits()))
    stored = StepImage(work, picture=Picture.original(PIXELS)).stored()
    threads.shutdown()
    assert asyncio.run(StepImage(work, stored=stored).reference()) is stored
