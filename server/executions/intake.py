"""The form of a request for an execution: its fields, and its files, of which large ones are stored while they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from models.errors import InvalidInput, TooLarge
from models.ids import canonical_id
from models.messages import LocalText
from models.rejections import RejectedValueError, not_json
from models.states import Priority
from server.core.settings import ServerSettings
from server.files.images import CheckedImage, check_image
from server.objects.store import ObjectStore
from server.objects.writing import IN_MEMORY_BYTES, ObjectWriter
from sync.shared.schemas import storable_object

_T = TypeVar("_T")
FILES = "input_files"
_FIELDS = ("pipeline_id", "parameters", "priority")
_LONGEST_FIELD = 256 * 1024
MOST_PARAMETERS = 1000
"""Steps and parameters that a request may name; each that is not known is an entry of the refusal."""
_QUICK_BYTES = 4096
"""A longer text of parameters takes longer to read than an event loop may wait."""
_ONE_AT_A_TIME = asyncio.Semaphore(1)
"""An image larger than what is kept of it is read once more to be checked: one of them at a time."""


@dataclass(slots=True)
class Draft:
    """A request for an execution, as it came; ``parameter_bytes`` is the length of its parameters' JSON."""

    pipeline_id: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    priority: Priority = Priority.NORMAL
    files: list[CheckedImage] = field(default_factory=list)
    parameter_bytes: int = 0

    def is_quick(self) -> bool:
        """Return whether its parameters are looked at in less time than it takes to reach a thread."""
        return self.parameter_bytes <= _QUICK_BYTES


def rejected(field_name: str, code: str, **values: object) -> InvalidInput:
    """Return the error of a form's member."""
    entry = {"field": field_name, "message": LocalText.of(code, values)}
    return InvalidInput("validation-error", members={"validation_errors": [entry]})


@dataclass(frozen=True, slots=True)
class _Whole:
    """A file that has come and is not stored yet."""

    data: bytes
    filename: str


class Intake:
    """Takes a form part by part; ``finish`` does what is to be done with it.

    The last file waits in memory for the end of the form, unless it is a large one: it is checked and stored by the
    thread that does the rest, which saves most requests a change of threads.

    Args:
        settings: the limits.
        objects: the object store.
        before_files: called once, before the first file is taken, so that a request that cannot run is refused early.
        on_thread: runs work on a thread.
    """

    def __init__(
        self,
        settings: ServerSettings,
        objects: ObjectStore,
        before_files: Callable[[Draft], Awaitable[None]],
        on_thread: Callable[..., Awaitable[Any]],
    ) -> None:
        self._settings = settings
        self._objects = objects
        self._before_files = before_files
        self._on_thread = on_thread
        self._seen: set[str] = set()
        self._last: _Whole | None = None
        self.draft = Draft()

    async def field(self, name: str, pieces: Callable[[], Awaitable[bytes | None]]) -> None:
        """Take a part that is no file.

        Raises:
            InvalidInput: ``validation-error`` naming the field.
        """
        if name not in _FIELDS:
            raise rejected(name, "value-extra-forbidden")
        if name in self._seen:
            raise rejected(name, "value-query-repeated")
        self._seen.add(name)
        data = bytearray()
        while (piece := await pieces()) is not None:
            data += piece
            if len(data) > _LONGEST_FIELD:
                raise rejected(name, "value-string-too-long", max_length=_LONGEST_FIELD)
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise rejected(name, "value-string-unicode") from error
        if name == "pipeline_id":
            self.draft.pipeline_id = canonical_id(text.strip())
        elif name == "priority":
            self.draft.priority = _priority(text.strip())
        elif text.strip():
            self.draft.parameter_bytes = len(data)
            if self.draft.is_quick():
                self.draft.parameters = _parameters(text)
            else:
                self.draft.parameters = await self._on_thread(_parameters, text)

    async def file(self, filename: str, pieces: Callable[[], Awaitable[bytes | None]]) -> None:
        """Take a file: into the object store while it comes; what it is is read from its bytes.

        Raises:
            InvalidInput: ``validation-error`` when there are too many files.
            TooLarge: ``upload-too-large``.
            UnreadableImage: as ``check_image``, of this file or the one before.
            Unavailable: ``disk-full`` or ``objects-unreachable``.
            UserFacingError: as ``before_files``.
        """
        most = self._settings.max_execution_files
        if len(self.draft.files) + (self._last is not None) >= most:
            raise rejected(FILES, "value-too-long", max_length=most)
        if self._last is not None:
            await self._on_thread(self._store_last)
        elif not self.draft.files and self.draft.pipeline_id:
            await self._before_files(self.draft)
        async with self._objects.writer(self._settings.max_upload_bytes) as writer:
            await self._take(writer, filename, pieces)

    async def finish(self, work: Callable[[], _T]) -> _T:
        """Store what is not stored yet, then do ``work``, on one thread, and return what it returns.

        Raises:
            UnreadableImage: as ``check_image``, of the last file.
            Unavailable: ``disk-full`` or ``objects-unreachable``.
            UserFacingError: as ``work``.
        """

        def store_then_work() -> _T:
            self._store_last()
            return work()

        done: _T = await self._on_thread(store_then_work)
        return done

    async def _take(self, writer: ObjectWriter, filename: str, pieces: Callable[[], Awaitable[bytes | None]]) -> None:
        head = bytearray()
        size = 0
        while (piece := await pieces()) is not None:
            size += len(piece)
            if len(head) <= IN_MEMORY_BYTES:
                head += piece
            await writer.write(piece)
        if size <= IN_MEMORY_BYTES:
            self._last = _Whole(bytes(head), filename)
            return
        del head
        stored = await writer.finish()
        async with _ONE_AT_A_TIME:
            self.draft.files.append(await self._on_thread(self._check_stored, stored.sha256, filename))

    def _store_last(self) -> None:
        last, self._last = self._last, None
        if last is None:
            return
        # Checked before it is stored: most of what is refused never gets there.
        checked = check_image(last.data, last.filename, self._settings)
        self._objects.put(checked.sha256, last.data)
        self.draft.files.append(checked)

    def _check_stored(self, sha256: str, filename: str) -> CheckedImage:
        return check_image(self._objects.read(sha256), filename, self._settings)


def require_complete(draft: Draft) -> None:
    """Check that a form had what an execution needs.

    Raises:
        InvalidInput: ``validation-error`` naming what is missing.
    """
    if not draft.pipeline_id:
        raise rejected("pipeline_id", "value-missing")
    if not draft.files:
        raise rejected(FILES, "value-missing")


def require_total(draft: Draft, settings: ServerSettings) -> None:
    """Check the bytes of all files together.

    Raises:
        TooLarge: ``body-too-large``.
    """
    limit = settings.max_execution_bytes
    if sum(file.size for file in draft.files) > limit:
        raise TooLarge("body-too-large", limit=limit, members={"limit_bytes": limit})


def _priority(text: str) -> Priority:
    try:
        return Priority(text)
    except ValueError as error:
        expected = ", ".join(repr(one.value) for one in Priority)
        raise rejected("priority", "value-enum", expected=expected) from error


def _parameters(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        entry = {"field": "parameters", "message": not_json(error)}
        raise InvalidInput("validation-error", members={"validation_errors": [entry]}) from error
    if not isinstance(given, dict):
        raise rejected("parameters", "value-dict-type")
    for step, values in given.items():
        if not isinstance(values, dict):
            raise rejected(f"parameters.{step}", "value-dict-type")
    if sum(1 + len(values) for values in given.values()) > MOST_PARAMETERS:
        raise rejected("parameters", "value-too-long", max_length=MOST_PARAMETERS)
    try:
        return storable_object(given)
    except RejectedValueError as error:
        entry = {"field": "parameters", "message": error.reason}
        raise InvalidInput("validation-error", members={"validation_errors": [entry]}) from error
