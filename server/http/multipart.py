"""Forms with files, read part by part while they come, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from models.errors import InvalidInput, TooLarge


@dataclass(frozen=True, slots=True)
class PartBegins:
    """A part of a form begins.

    Attributes:
        name: of the member.
        filename: None for a part that is no file.
    """

    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class PartEnds:
    """A part of a form has ended."""


PartEvent = PartBegins | bytes | PartEnds
"""What comes of a form: the begin of a part, its bytes in pieces, its end."""


async def form_parts(request: Request, most_parts: int) -> AsyncIterator[PartEvent]:
    """Yield what comes of a multipart form.

    Args:
        request: whose body is limited in bytes and in pace.
        most_parts: of the form.

    Raises:
        InvalidInput: ``request-malformed`` when it is no such form, or ends early.
        TooLarge: ``form-too-many-parts``.
    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise InvalidInput("request-malformed")
    reader = _Reader(most_parts)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin,
                "on_header_field": reader.header_name,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_headers_finished": reader.headers_end,
                "on_part_data": reader.data,
                "on_part_end": reader.end,
                "on_end": reader.whole,
            },
        )
        async for piece in request.stream():
            parser.write(piece)
            for event in reader.taken():
                yield event
    except FormParserError as error:
        raise InvalidInput("request-malformed") from error
    if not reader.is_whole:
        raise InvalidInput("request-malformed")


class _Reader:
    """Collects what the parser reports of one piece of the body."""

    def __init__(self, most_parts: int) -> None:
        self._most_parts = most_parts
        self._parts = 0
        self._events: list[PartEvent] = []
        self._headers: dict[bytes, bytes] = {}
        self._name = bytearray()
        self._value = bytearray()
        self.is_whole = False

    def taken(self) -> list[PartEvent]:
        """Return what has come since the last call."""
        events, self._events = self._events, []
        return events

    def begin(self) -> None:
        self._parts += 1
        if self._parts > self._most_parts:
            limit = self._most_parts
            raise TooLarge("form-too-many-parts", limit=limit, members={"limit_parts": limit})
        self._headers = {}

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def headers_end(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise InvalidInput("request-malformed")
        filename = options.get(b"filename")
        shown = None if filename is None else filename.decode(errors="replace")
        self._events.append(PartBegins(options[b"name"].decode(errors="replace"), shown))

    def data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def end(self) -> None:
        self._events.append(PartEnds())

    def whole(self) -> None:
        self.is_whole = True
