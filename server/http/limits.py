"""Limits of request bodies: bytes by kind of body, and the pace at which they must come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.types import Message, Receive

from models.errors import TooLarge
from server.core.settings import ServerSettings
from server.http.refusals import RequestTimeout

JSON, MULTIPART, OCTETS = "application/json", "multipart/form-data", "application/octet-stream"
ANONYMOUS_BODY_BYTES = 16 * 1024
"""Most bytes of a body that is read before anybody has signed in."""
EndpointT = TypeVar("EndpointT")
_MULTIPART_MARGIN = 64 * 1024
_LIMIT = "imageflow_form_limit"
_LEAST_BYTES_PER_S = 1024


def media_type(header: str) -> str:
    """Return the media type of a ``Content-Type`` header without its parameters; every kind of JSON is one."""
    kind = header.partition(";")[0].strip().lower()
    return JSON if kind.startswith("application/") and kind.endswith("+json") else kind


def takes_up_to(setting: str) -> Callable[[EndpointT], EndpointT]:
    """Mark an endpoint whose forms may have as many bytes as a setting says, beside what a form itself takes."""

    def mark(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _LIMIT, setting)
        return endpoint

    return mark


def form_limit(endpoint: object) -> str:
    """Return the setting that limits the forms of an endpoint."""
    return getattr(endpoint, _LIMIT, "max_upload_bytes")


def body_limit(kind: str, settings: ServerSettings, *, signed_in: bool, form_setting: str = "max_upload_bytes") -> int:
    """Return how many bytes a body of a media type may have.

    Args:
        kind: the media type.
        settings: the limits.
        signed_in: whether only someone signed in may ask.
        form_setting: as ``form_limit``.
    """
    if not signed_in:
        return ANONYMOUS_BODY_BYTES
    if kind == MULTIPART:
        limit: int = getattr(settings, form_setting)
        return limit + _MULTIPART_MARGIN
    if kind == OCTETS:
        return settings.max_chunk_bytes
    return settings.max_body_bytes


def too_large(limit: int) -> TooLarge:
    """Return the error of a body over a limit."""
    return TooLarge("body-too-large", limit=limit, members={"limit_bytes": limit})


class BoundedBody:
    """Receives a body and stops it at a number of bytes, or when it comes too slowly.

    Args:
        receive: of the connection.
        limit: most bytes.
        patience_s: seconds a body may take beside one for each KiB that has come.
    """

    def __init__(self, receive: Receive, limit: int, patience_s: float) -> None:
        self._receive = receive
        self._limit = limit
        self._patience_s = patience_s
        self._received = 0
        self._began: float | None = None
        self._ended = False

    async def __call__(self) -> Message:
        """Return the next message.

        Raises:
            TooLarge: ``body-too-large``.
            RequestTimeout: ``body-too-slow``.
        """
        if self._ended:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._began = self._began if self._began is not None else now
        left = self._began + self._patience_s + self._received / _LEAST_BYTES_PER_S - now
        try:
            async with asyncio.timeout(left):
                message = await self._receive()
        except TimeoutError as error:
            raise RequestTimeout("body-too-slow") from error
        self._received += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._received > self._limit:
            raise too_large(self._limit)
        return message
