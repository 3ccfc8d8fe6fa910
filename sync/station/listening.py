"""Hears from the server when there is something to pull, so that the station need not ask often."""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from models.errors import UserFacingError
from sync.shared.protocol import CHANGES_AVAILABLE
from sync.station.client import ServerClient
from sync.station.live_connection import cut
from sync.station.timing import Reconnecting, spread_s

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_RANDOM = secrets.SystemRandom()
LOOK_EVERY_S = 2.0
"""How often it looks whether a connection is wanted."""
_UNKNOWN_PATH = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UPGRADE_REQUIRED}


class ChangeListener:
    """Keeps one connection to the server and asks for a pass when it says that there are changes.

    Nobody is told when it does not come about: the passes of the usual interval do without it.

    Args:
        client: the server.
        wake: asks for a pass; cheap.
        wanted: whether a connection is wanted now: the server answers, and the link is free to be used.
        random: returns numbers from 0 to 1.
    """

    def __init__(
        self,
        client: ServerClient,
        wake: Callable[[], object],
        wanted: Callable[[], bool] = lambda: True,
        random: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._client = client
        self._wake = wake
        self._wanted = wanted
        self._random = random
        self._reconnecting = Reconnecting(random)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._handle: socket.socket | None = None
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether the server would say by now that there are changes."""
        return self._connected

    def start(self) -> None:
        """Begin to listen in a thread; does nothing when it runs already, or was stopped."""
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._work, name="sync-listener", daemon=True)
                self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End for good; return whether the thread has ended within the time, as it does unless it looks up a name."""
        with self._lock:
            self._stopping.set()
            if self._handle is not None:
                cut(self._handle)
            thread = self._thread
        self._client.abort()
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def _work(self) -> None:
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            pause_s = self._listen() if self._wanted() else LOOK_EVERY_S

    def _listen(self) -> float:
        """Connect, listen until the connection ends, and return the seconds until the next one."""
        from websockets.exceptions import InvalidStatus, WebSocketException

        began = None
        offered = True
        try:
            with self._client.listen(self._opened) as connection:
                began = time.monotonic()
                self._connected = True
                self._hear(connection)
        except InvalidStatus as refused:
            offered = refused.response.status_code not in _UNKNOWN_PATH
        except (OSError, WebSocketException, UserFacingError):
            # The same trouble fails the next pass, which says so.
            pass
        finally:
            self._connected = False
            with self._lock:
                self._handle = None
        lasted_s = 0.0 if began is None else time.monotonic() - began
        return self._reconnecting.pause_s(offered=offered, lasted_s=lasted_s)

    def _opened(self, handle: socket.socket) -> None:
        with self._lock:
            self._handle = handle
            if self._stopping.is_set():
                cut(handle)

    def _hear(self, connection: ClientConnection) -> None:
        """Listen until the connection ends or is no longer wanted; of messages that come close together, act once."""
        act_at: float | None = None
        while self._wanted():
            now = time.monotonic()
            if act_at is not None and now >= act_at:
                act_at = None
                self._wake()
            wait_s = LOOK_EVERY_S if act_at is None else min(act_at - now, LOOK_EVERY_S)
            try:
                message = connection.recv(timeout=wait_s)
            except TimeoutError:
                continue
            if act_at is None and _says_changes(message):
                act_at = time.monotonic() + spread_s(self._random)


def _says_changes(message: str | bytes) -> bool:
    """Return whether a message is that there are changes; a newer server may say more."""
    try:
        said = json.loads(message)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("type") == CHANGES_AVAILABLE
