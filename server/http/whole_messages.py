"""Bodies and answers in one piece, past the messages of ASGI, which cost more than a quick endpoint takes.

Only where uvicorn has all of the body, and the connection stays open after an answer that nothing holds up.
"""

from __future__ import annotations

from collections.abc import Iterable
from weakref import ReferenceType

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

CYCLE = "imageflow.cycle"
"""Member of a scope: a weak reference to uvicorn's state of the request, which has the scope: no cycle is made."""
ANSWER = "imageflow.answer"
"""Type of a message to ``server.http.requests.Requests``: the JSON text ``content`` is the whole answer, with 200."""


def _cycle_of(scope: Scope) -> RequestResponseCycle | None:
    reference: ReferenceType[RequestResponseCycle] | None = scope.get(CYCLE)
    return None if reference is None else reference()


def whole_body(scope: Scope) -> bytes | None:
    """Return the body of a request when all of it is there; it stays for whoever receives it."""
    cycle = _cycle_of(scope)
    if cycle is None or cycle.more_body or cycle.disconnected:
        return None
    return bytes(cycle.body)


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the lines of header fields, which must be valid."""
    return b"".join(b"%b: %b\r\n" % field for field in headers)


def can_send_whole(scope: Scope) -> bool:
    """Return whether ``send_whole`` would send now."""
    return _writable_cycle(scope) is not None


def send_whole(scope: Scope, lines: bytes, content: bytes) -> bool:
    """Send an answer with status 200, and return whether it was: otherwise nothing was sent.

    Args:
        scope: of the request.
        lines: of the head, without the length.
        content: the body.
    """
    cycle = _writable_cycle(scope)
    if cycle is None:
        return False
    head = b"HTTP/1.1 200 OK\r\n%b%bcontent-length: %d\r\n\r\n"
    cycle.transport.write(head % (lines_of(cycle.default_headers), lines, len(content)) + content)
    cycle.response_started = cycle.response_complete = True
    cycle.message_event.set()
    cycle.on_response()
    return True


def _writable_cycle(scope: Scope) -> RequestResponseCycle | None:
    cycle = _cycle_of(scope)
    if cycle is None or cycle.disconnected or cycle.flow.write_paused or cycle.response_started or not cycle.keep_alive:
        return None
    return cycle
