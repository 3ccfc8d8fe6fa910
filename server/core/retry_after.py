"""When it is worth trying again after an error."""

from __future__ import annotations

from http import HTTPStatus

from models.errors import UserFacingError
from sync.shared.problems import RETRY_AFTER

UNAVAILABLE_S = 5
"""After a trouble of the server or of what it needs: a lock or a connection comes back."""
_TOO_OFTEN_S = 1


def retry_after_s(error: UserFacingError) -> int | None:
    """Return the seconds after which a request may succeed that this error answers; None when it stays wrong."""
    otherwise = {HTTPStatus.TOO_MANY_REQUESTS: _TOO_OFTEN_S, HTTPStatus.SERVICE_UNAVAILABLE: UNAVAILABLE_S}
    seconds = error.members.get(RETRY_AFTER)
    return seconds if isinstance(seconds, int) else otherwise.get(HTTPStatus(error.status))
