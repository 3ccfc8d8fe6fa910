"""Messages from bytes that anybody may have sent."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from models.errors import InvalidInput

_MessageT = TypeVar("_MessageT", bound=Message)


def parsed(kind: type[_MessageT], data: bytes) -> _MessageT:
    """Return a message from its bytes.

    Raises:
        InvalidInput: ``service-message-malformed``.
    """
    try:
        return kind.FromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("service-message-malformed", message=kind.DESCRIPTOR.name) from error
