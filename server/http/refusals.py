"""Refusals that only HTTP knows, with the header fields that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from models.errors import UserFacingError


class HttpRefusal(UserFacingError):
    """A request that HTTP itself refuses.

    Attributes:
        headers: further header fields of the answer.
    """

    status: ClassVar[int] = 400

    def __init__(
        self,
        code: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: dict[str, object] | None = None,
        **values: object,
    ) -> None:
        super().__init__(code, members=members, **values)
        self.headers = dict(headers or {})


class RequestTimeout(HttpRefusal):
    """The client takes too long to send its request; the connection ends with the answer."""

    status = 408

    def __init__(self, code: str) -> None:
        super().__init__(code, headers={"Connection": "close"})


class RangeNotSatisfiable(HttpRefusal):
    """The file has no such bytes."""

    status = 416

    def __init__(self, size: int) -> None:
        super().__init__("range-not-satisfiable", headers={"Content-Range": f"bytes */{size}"}, size=size)


class UnsupportedMedia(HttpRefusal):
    """The body is of a kind, or in an encoding, that the route does not take."""

    status = 415
