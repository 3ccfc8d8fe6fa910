"""Why something that is said about a model or about training data cannot be meant, in the reader's language."""

from __future__ import annotations

from pydantic import ValidationError

from models.messages import LocalText
from models.rejections import rejection


class InvalidMetadataError(ValueError):
    """What was read makes no sense; whoever knows the file tells it with the reason.

    Attributes:
        reason: a part of a text.
    """

    def __init__(self, code: str, **values: object) -> None:
        self.reason = LocalText.of(code, values)
        super().__init__(self.reason)


def first_problem(error: ValidationError) -> LocalText:
    """Return what is wrong with the first of the values that were refused, with its name."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    reason = cause.reason if isinstance(cause, InvalidMetadataError) else rejection(first)
    name = ".".join(str(part) for part in first["loc"])
    return LocalText.of("detector-metadata-value", {"name": name, "reason": reason}) if name else reason


def decoded(data: bytes) -> str:
    """Return bytes as the UTF-8 text they are, without a byte order mark.

    Raises:
        InvalidMetadataError: when they are none.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidMetadataError("detector-text-not-utf8") from error
