"""Errors as gRPC statuses, and statuses as errors."""

from __future__ import annotations

import json
from typing import Any

import grpc

from models.error_values import read_values, stored_values
from models.errors import (
    DoesNotFit,
    ImageFlowError,
    InvalidInput,
    NotFound,
    NotSignedIn,
    PermissionDenied,
    TooLarge,
    TooManyRequests,
    Unavailable,
    UnreadableImage,
    UserFacingError,
)
from models.messages import LocalText, catalogue
from server.grpc.contract import ERROR_KEY

_MOST_TEXT = 2_000
_STATUSES: tuple[tuple[type[UserFacingError], grpc.StatusCode], ...] = (
    (InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (TooLarge, grpc.StatusCode.INVALID_ARGUMENT),
    (NotSignedIn, grpc.StatusCode.UNAUTHENTICATED),
    (PermissionDenied, grpc.StatusCode.PERMISSION_DENIED),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (DoesNotFit, grpc.StatusCode.FAILED_PRECONDITION),
    (TooManyRequests, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
)
_KINDS = {status: kind for kind, status in _STATUSES if kind is not TooLarge}
_SUBTYPES: dict[str, type[UserFacingError]] = {kind.__name__: kind for kind in (UnreadableImage,)}
"""Errors that their status alone does not tell from others."""
RETRYABLE = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
    }
)
"""Statuses after which another attempt, at another replica, may succeed: every call may be repeated."""
BROKEN = RETRYABLE | {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.UNAUTHENTICATED,
}
"""Statuses that speak against the replica or how it is set up, not against the request."""


class AttemptFailed(ImageFlowError):
    """One attempt of a call gave no answer.

    Args:
        status: of the attempt.
        reason: for people.
        refusal: the error of the caller when the status speaks against the request, not against the replica.
    """

    def __init__(self, status: grpc.StatusCode, reason: str, refusal: UserFacingError | None = None) -> None:
        self.status = status
        self.refusal = None if status in BROKEN else refusal
        super().__init__(reason)


def status_of(error: UserFacingError) -> grpc.StatusCode:
    """Return the status of an error."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def trailers_of(error: UserFacingError) -> tuple[tuple[str, str], ...]:
    """Return the trailing metadata from which our own client makes the same error again."""
    named = {"code": error.code, "type": type(error).__name__, "values": stored_values(error.values)}
    return ((ERROR_KEY, json.dumps(named)),)


def error_of(status: grpc.StatusCode, details: str | None, trailers: Any, service: str) -> UserFacingError:
    """Return the error of a status that speaks against the request.

    Args:
        status: of the refused call.
        details: its text.
        trailers: its trailing metadata.
        service: who refused, for people.
    """
    kind = _KINDS.get(status, InvalidInput)
    named = dict(trailers or ()).get(ERROR_KEY)
    try:
        refusal = json.loads(named) if named is not None else {}
        subtype = _SUBTYPES.get(str(refusal.get("type")), kind)
        error = (subtype if issubclass(subtype, kind) else kind)(refusal["code"], **read_values(refusal["values"]))
        if refusal["code"] in catalogue("en"):
            error.text()
            return error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        # What another program answers is no error of ours: it is shown as it came.
        pass
    text = LocalText((details or status.name)[:_MOST_TEXT])
    return kind("service-refused", service=service, reason=text)
