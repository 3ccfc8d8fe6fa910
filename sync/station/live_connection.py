"""A WebSocket connection to the server, which another thread can cut."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sync.station.trust import server_trust

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_CONNECT_S = 3.0
_CLOSE_S = 0.5
_MOST_BYTES = 64 * 1024


@contextmanager
def live_connection(
    address: str,
    headers: Mapping[str, str],
    opened: Callable[[socket.socket], object],
    *,
    verify: Any = True,
    timeout_s: float = 10.0,
) -> Iterator[ClientConnection]:
    """Connect and give the connection until the block ends.

    Args:
        address: ``http://…`` or ``https://…``.
        headers: of the handshake.
        opened: gets a handle of the TCP connection before the handshake; ``cut`` with it ends any wait on it.
        verify: the context that checks the server's certificate; True takes the usual one.
        timeout_s: of the handshakes.

    Raises:
        OSError: when the server cannot be reached or its certificate is not trusted.
        websockets.exceptions.WebSocketException: when it refuses, or the connection ends.
    """
    # For the first connection, not for a window.
    from websockets.sync.client import connect

    parts = urlsplit(address)
    secure = parts.scheme == "https"
    place = (parts.hostname or "", parts.port or (443 if secure else 80))
    # trust_env off as for requests: no proxy variable leads a station elsewhere than to the configured server.
    trusted = (server_trust() if verify is True else verify) if secure else None
    with socket.create_connection(place, timeout=_CONNECT_S) as plain, plain.dup() as handle:
        plain.settimeout(None)
        opened(handle)
        with connect(
            address.replace("http", "ws", 1),
            sock=plain,
            ssl=trusted,
            additional_headers=dict(headers),
            proxy=None,
            compression=None,
            open_timeout=timeout_s,
            close_timeout=_CLOSE_S,
            max_size=_MOST_BYTES,
        ) as connection:
            yield connection


def cut(handle: socket.socket) -> None:
    """End a connection at once, whatever its thread waits for; from any thread."""
    with suppress(OSError):  # closed meanwhile
        handle.shutdown(socket.SHUT_RDWR)
