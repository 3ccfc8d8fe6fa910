"""Callers that have been identified before, for routes that are asked thousands of times a second."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from models.database import Database
from server.auth.identity.principal import Principal

_MOST = 1_000
_GOOD_S = 1.0
"""What expires by itself does so within this time."""

Credential = tuple[bytes, bytes]
"""The values of ``Authorization`` and ``X-API-Key``, either of them empty."""


class KnownCallers:
    """Remembers who a credential belongs to while nothing has been committed to the database.

    So a key that is revoked, a user who is disabled, a sign-in that ends: each takes effect with the next request, also
    when another process does it. A database across a network does not tell of commits; nothing is remembered then.

    Not thread-safe: for the event loop alone.

    Args:
        database: holds the keys and the sign-ins.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version: int | None = None
        self._known: OrderedDict[Credential, tuple[float, Principal]] = OrderedDict()

    def find(self, credential: Credential, identify: Callable[[], Principal]) -> Principal:
        """Return who a credential belongs to.

        Args:
            credential: of the request.
            identify: asks the database.

        Raises:
            NotSignedIn: as ``identify``.
        """
        # Asked before the database is: a commit in between is seen by the next request.
        version = self._database.data_version()
        now = time.monotonic()
        if version is None or version != self._version:
            self._known.clear()
            self._version = version
        else:
            kept = self._known.get(credential)
            if kept is not None and now < kept[0]:
                return kept[1]
        principal = identify()
        if version is not None:
            self._known[credential] = now + _GOOD_S, principal
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return principal
