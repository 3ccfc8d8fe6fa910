"""A WebSocket connection of someone signed in, as an endpoint uses it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json
from starlette.websockets import WebSocket, WebSocketDisconnect

from models.errors import NotSignedIn, UserFacingError
from models.messages import Language
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.http import errors
from server.http.routes import identified
from server.http.websocket_protocol import CloseCode, of_scope

BEARER = "bearer"
"""The sub-protocol of a client that sends its token as the second one."""
CHECKED_EVERY_S = 30.0
"""How often a connection's sign-in is checked again."""


class LiveSocket:
    """A WebSocket connection of someone signed in; ended with 4401 when the sign-in ends.

    Attributes:
        context: the server's parts.
        principal: who has connected.
        language: of texts for the client.
        path: parameters of the route.
    """

    def __init__(self, context: ServerContext, websocket: WebSocket, principal: Principal, headers: dict[str, str]):
        self.context = context
        self.principal = principal
        self.language: Language = errors.language_of(websocket.scope)
        self.path: dict[str, Any] = websocket.path_params
        self._websocket = websocket
        self._connection = of_scope(websocket.scope)
        self._headers = headers
        self._check: asyncio.TimerHandle | None = None
        self._checking: asyncio.Task[None] | None = None
        self.accepted = False

    async def accept(self, *, most_bytes: int | None = None, live: bool = False) -> None:
        """Accept the connection; everything that may refuse it comes before.

        Args:
            most_bytes: of a message of the client.
            live: whether what it is sent is soon out of date, so that little shall wait for it.
        """
        if most_bytes is not None:
            self._connection.accept_bytes(most_bytes)
        if live:
            self._connection.keep_nothing_back()
        offered = self._websocket.scope.get("subprotocols", [])
        with gone():
            await self._websocket.accept(subprotocol=BEARER if BEARER in offered else None)
        self.accepted = True
        self._check_later()

    async def send(self, message: BaseModel | Mapping[str, Any] | bytes) -> None:
        """Send a message as JSON, or bytes as they are; of a model, members without a value are left out.

        Raises:
            WebSocketDisconnect: when the connection has ended.
        """
        try:
            if isinstance(message, bytes):
                await self._connection.send_bytes(message)
            elif isinstance(message, BaseModel):
                text = message.model_dump_json(by_alias=True, exclude_none=True)
                await self._connection.send_text(text.encode())
            else:
                await self._connection.send_text(to_json(message, inf_nan_mode="null"))
        except OSError as error:
            raise WebSocketDisconnect(1006) from error

    async def room(self) -> None:
        """Wait until there is room for a message: what is made before waits for a client that reads slowly."""
        await self._connection.room()

    async def receive(self) -> str | bytes:
        """Return the next message of the client.

        Raises:
            WebSocketDisconnect: when the connection has ended.
        """
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"], message.get("reason"))
        text: str | None = message.get("text")
        return text if text is not None else bytes(message["bytes"])

    def expect_nothing(self, lost: Callable[[], object]) -> None:
        """Throw away what the client says, and call ``lost`` once when the connection has ended."""
        self._connection.expect_nothing(lost)

    async def close(self, code: CloseCode = CloseCode.ENDED) -> None:
        """End the connection in order; nothing happens when it has ended."""
        if self._connection.is_open:
            with gone():
                await self._websocket.close(int(code))

    def drop(self, code: CloseCode, reason: str = "") -> None:
        """End the connection, also one whose client does not read."""
        self._connection.drop(code, reason)

    def leave(self) -> None:
        """Check the sign-in no longer."""
        if self._check is not None:
            self._check.cancel()
        if self._checking is not None:
            self._checking.cancel()

    def _check_later(self) -> None:
        wait_s = CHECKED_EVERY_S
        token = self._headers.get("authorization", "").partition(" ")[2]
        if token and not self._headers.get("x-api-key"):
            wait_s = min(wait_s, max(0.0, self.context.tokens.expires_at(token) - time.time()) + 0.01)
        self._check = asyncio.get_running_loop().call_later(wait_s, self._begin_check)

    def _begin_check(self) -> None:
        self._checking = asyncio.ensure_future(self._still_signed_in())

    async def _still_signed_in(self) -> None:
        try:
            await identified(self.context, self._headers)
        except NotSignedIn as error:
            self.drop(CloseCode.SIGN_IN_ENDED, error.code)
        except UserFacingError:
            self._check_later()  # The database is away: whoever was signed in stays so until it answers.
        else:
            self._check_later()


@contextmanager
def gone() -> Iterator[None]:
    """Translate the error of a connection that has ended, which Starlette does for messages alone."""
    try:
        yield
    except OSError as error:
        raise WebSocketDisconnect(1006) from error
