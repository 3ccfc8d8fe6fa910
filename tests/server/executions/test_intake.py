"""What a form of files has stored when, and in which order, before anything is done with it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from models.errors import InvalidInput, Unavailable, UnreadableImage
from models.storage import sha256_of
from server.core.settings import ServerSettings
from server.executions.intake import Draft, Intake
from server.objects.store import ObjectStore
from server.objects.writing import IN_MEMORY_BYTES
from tests.support.errors import has_code
from tests.support.executing import jpeg

FIRST, SECOND, THIRD = (jpeg(seed=seed) for seed in (1, 2, 3))
LARGE = jpeg(seed=4) + bytes(IN_MEMORY_BYTES)
"""A complete image with something behind it."""
PIECE = 64 * 1024


class Form:
    """A form that a test fills in."""

    def __init__(self, folder: Path) -> None:
        self.settings = ServerSettings(data_dir=folder, max_execution_files=3)
        self.objects = ObjectStore(self.settings.objects)
        self.checked: list[str] = []
        self.intake = Intake(self.settings, self.objects, self._check, self._on_thread)

    async def _check(self, draft: Draft) -> None:
        self.checked.append(draft.pipeline_id)

    async def _on_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.to_thread(work, *arguments)

    async def file(self, data: bytes, name: str = "part.jpg") -> None:
        await self.intake.file(name, pieces_of(data))

    def holds(self, data: bytes) -> bool:
        return self.objects.keep(sha256_of(data))


def pieces_of(data: bytes) -> Callable[[], Awaitable[bytes | None]]:
    left = [data[start : start + PIECE] for start in range(0, len(data), PIECE)]

    async def pieces() -> bytes | None:
        return left.pop(0) if left else None

    return pieces


@pytest.fixture
def form(tmp_path: Path) -> Form:
    return Form(tmp_path)


def test_every_file_is_stored_when_the_work_begins(form: Form) -> None:
    async def scenario() -> list[bool]:
        for data in (FIRST, SECOND, THIRD):
            await form.file(data)
        return await form.intake.finish(lambda: [form.holds(data) for data in (FIRST, SECOND, THIRD)])

    assert asyncio.run(scenario()) == [True] * 3


def test_a_large_file_is_stored_while_the_form_comes(form: Form) -> None:
    asyncio.run(form.file(LARGE))
    assert form.holds(LARGE)


@pytest.mark.parametrize("files", [(FIRST, LARGE), (LARGE, FIRST)], ids=["large last", "large first"])
def test_files_keep_their_order_whatever_their_size(form: Form, files: tuple[bytes, bytes]) -> None:
    async def scenario() -> list[str]:
        for data in files:
            await form.file(data)
        return await form.intake.finish(lambda: [file.sha256 for file in form.intake.draft.files])

    assert asyncio.run(scenario()) == [sha256_of(data) for data in files]


def test_a_form_that_is_refused_after_its_last_file_has_stored_nothing_of_it(form: Form) -> None:
    async def scenario() -> None:
        await form.file(FIRST)
        with pytest.raises(InvalidInput, check=has_code("validation-error")):
            await form.intake.field("colour", pieces_of(b"red"))

    asyncio.run(scenario())
    assert not form.holds(FIRST)


def test_a_file_more_than_allowed_is_refused_before_it_is_taken(form: Form) -> None:
    async def scenario() -> None:
        for data in (FIRST, SECOND, THIRD):
            await form.file(data)
        with pytest.raises(InvalidInput, check=has_code("validation-error")):
            await form.intake.file("fourth.jpg", never_asked)

    asyncio.run(scenario())


async def never_asked() -> bytes | None:
    raise AssertionError("the file was taken")


def test_a_last_file_that_is_no_image_lets_no_work_begin(form: Form) -> None:
    begun: list[bool] = []

    async def scenario() -> None:
        await form.file(b"no image")
        with pytest.raises(UnreadableImage):
            await form.intake.finish(lambda: begun.append(True))

    asyncio.run(scenario())
    assert not begun


def test_a_request_is_checked_once_before_its_first_file(form: Form) -> None:
    pieces = pieces_of(FIRST)

    async def asked() -> bytes | None:
        assert form.checked == ["P"]
        return await pieces()

    async def scenario() -> None:
        await form.intake.field("pipeline_id", pieces_of(b"P"))
        await form.intake.file("part.jpg", asked)
        await form.file(SECOND)

    asyncio.run(scenario())
    assert form.checked == ["P"]


def test_a_file_that_cannot_be_stored_lets_no_work_begin(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []

    def refused(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    async def scenario() -> None:
        await form.file(FIRST)
        monkeypatch.setattr("server.objects.folder.sync_file", refused)
        with pytest.raises(Unavailable, check=has_code("disk-full")):
            await form.intake.finish(lambda: begun.append(True))

    asyncio.run(scenario())
    assert not begun
