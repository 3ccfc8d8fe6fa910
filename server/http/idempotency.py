"""``Idempotency-Key`` of a request: its answer is kept, and given again when the request is sent again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import Request, Response

from models.errors import Conflict, InvalidInput, UserFacingError
from models.messages import LocalText
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency_keys import (
    KeptAnswer,
    Turn,
    give_turn_back,
    keep_answer,
    leave_unknown,
    request_id,
    take_turn,
)
from server.core.structlog_import import structlog
from server.http.lanes import Lane, run_on

HEADER = "Idempotency-Key"
PATTERN = r"^[\x21-\x7e]+$"
LONGEST = 128
PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same request with the same key is done once; it is answered again as it was, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": PATTERN},
}
"""What the API document says of the header."""
REPLAYED = "Idempotency-Replayed"
_SHOWN_ONCE = "imageflow_shown_once"
_PATIENCE_S, _LOOK_S = 60.0, 0.05
_FINISH_S, _CUT_S = 5.0, 2.0
EndpointT = TypeVar("EndpointT")
_AT_WORK: set[asyncio.Task[Response]] = set()
"""Tasks until they end: the event loop has only weak references to them."""
_log = structlog.get_logger("imageflow.server")


def shown_once(endpoint: EndpointT) -> EndpointT:
    """Mark an endpoint whose answer holds a secret that is never kept: a repeated request is refused."""
    setattr(endpoint, _SHOWN_ONCE, True)
    return endpoint


def is_shown_once(endpoint: object) -> bool:
    """Return whether the answers of an endpoint may be shown only once."""
    return getattr(endpoint, _SHOWN_ONCE, False)


async def once(
    context: ServerContext,
    principal: Principal,
    request: Request,
    body: bytes,
    work: Callable[[], Awaitable[Response]],
    *,
    keeps_body: bool,
) -> Response:
    """Do a request's work unless it was done before, and return its answer.

    A request that is at work elsewhere is waited for. One that is refused has had no effect and may be sent again.

    Args:
        context: the server's parts.
        principal: who asks; each has keys of their own.
        request: with its key in the head.
        body: of the request.
        work: does it.
        keeps_body: whether the answer may be kept.

    Raises:
        InvalidInput: ``validation-error`` for a key of another form.
        UserFacingError: as ``take_turn``, and as the work; ``idempotency-key-in-progress`` when that takes too long.
    """
    key = request.headers.get(HEADER, "")
    if len(key) > LONGEST or re.search(PATTERN, key) is None:
        message = LocalText.of("value-idempotency-key", {"most": LONGEST})
        raise InvalidInput("validation-error", members={"validation_errors": [{"field": HEADER, "message": message}]})
    id_ = request_id(principal.username, key)
    content = b"\0".join((request.method.encode(), request.url.path.encode(), request.url.query.encode(), body))
    digest = context.tokens.digest(content)
    until = asyncio.get_running_loop().time() + _PATIENCE_S
    while (turn := await run_on(Lane.WRITES, take_turn, context.database, id_, digest)) is Turn.WAIT:
        if asyncio.get_running_loop().time() > until:
            raise Conflict("idempotency-key-in-progress")
        await asyncio.sleep(_LOOK_S)
    if isinstance(turn, KeptAnswer):
        return _replayed(turn)
    doing = asyncio.create_task(_done(context, id_, work, keeps_body=keeps_body))
    _AT_WORK.add(doing)
    doing.add_done_callback(_AT_WORK.discard)
    try:
        # Who stops waiting stops nothing else: what has begun ends, and its answer is there for the next try.
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        doing.add_done_callback(_logged)
        raise


async def finish_work(patience_s: float = _FINISH_S) -> None:
    """Let work of this event loop end whose client has gone, before the database is closed.

    Args:
        patience_s: seconds; what takes longer is cut off, and whether it had an effect is then not known.
    """
    here = asyncio.get_running_loop()
    # Servers in other threads, each with a loop of its own, have work here too.
    doing = {task for task in list(_AT_WORK) if task.get_loop() is here}
    if not doing:
        return
    _, late = await asyncio.wait(doing, timeout=patience_s)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=_CUT_S)


async def _done(
    context: ServerContext, id_: str, work: Callable[[], Awaitable[Response]], *, keeps_body: bool
) -> Response:
    """Do the work, and keep its answer, or give the turn back when it was refused.

    Work that is cut off may have had an effect, from a thread that nothing stops: it is not done again.
    """
    try:
        answer = await work()
    except Exception:
        await run_on(Lane.WRITES, give_turn_back, context.database, id_)
        raise
    except asyncio.CancelledError:
        await run_on(Lane.WRITES, leave_unknown, context.database, id_)
        raise
    await run_on(Lane.WRITES, keep_answer, context.database, id_, _kept(answer, keeps_body=keeps_body))
    return answer


def _logged(doing: asyncio.Task[Response]) -> None:
    """Log a bug that nobody waits to hear of any more."""
    error = None if doing.cancelled() else doing.exception()
    if error is not None and not isinstance(error, UserFacingError):
        _log.error("bug", error=type(error).__name__, exc_info=error)


def _kept(answer: Response, *, keeps_body: bool) -> KeptAnswer:
    text = bytes(answer.body).decode() if keeps_body else None
    return KeptAnswer(answer.status_code, text, answer.headers.get("location"), answer.headers.get("etag"))


def _replayed(kept: KeptAnswer) -> Response:
    headers = {REPLAYED: "true"}
    if kept.location is not None:
        headers["Location"] = kept.location
    if kept.etag is not None:
        headers["ETag"] = kept.etag
    media_type = None if kept.status == HTTPStatus.NO_CONTENT else "application/json"
    return Response(kept.body, kept.status, headers, media_type)
