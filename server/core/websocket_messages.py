"""What any WebSocket of the server may send: an error in the language of its client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from models.errors import UserFacingError
from models.messages import Language, error_text
from server.core.retry_after import retry_after_s
from sync.shared.problems import RETRY_AFTER
from sync.shared.schemas import Id, Reply


class ErrorDetail(Reply):
    """What went wrong.

    Attributes:
        code: of the error, as ``SERVICE_BUSY``.
        message: for a person.
        advice: what the person does next.
        retry_after: seconds after which it may succeed.
    """

    code: str
    message: str
    advice: str
    retry_after: int | None = None


class ErrorMessage(Reply):
    """A message of the type ``error``."""

    type: Literal["error"] = "error"
    execution_id: Id | None = None
    error: ErrorDetail


def wire_code(code: str) -> str:
    """Return an error's code as messages have it: ``service-busy`` is ``SERVICE_BUSY``."""
    return code.replace("-", "_").upper()


def error_message(
    code: str, values: Mapping[str, object], language: Language, execution_id: str | None = None
) -> ErrorMessage:
    """Return the message for an error's code.

    Args:
        code: of the error, a key of ``resources/messages``.
        values: what its text names; ``retry_after`` among them is a member of the message too.
        language: of the text.
        execution_id: the execution that has failed.
    """
    text = error_text(code, dict(values), language, for_client=True)
    retry_after = values.get(RETRY_AFTER)
    detail = ErrorDetail(
        code=wire_code(code),
        message=text.detail,
        advice=text.advice,
        retry_after=retry_after if isinstance(retry_after, int) else None,
    )
    return ErrorMessage(execution_id=execution_id, error=detail)


def message_of_error(error: UserFacingError, language: Language) -> ErrorMessage:
    """Return the message for an error."""
    return error_message(error.code, {**error.values, RETRY_AFTER: retry_after_s(error)}, language)
