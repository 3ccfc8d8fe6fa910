"""What clients of a broker that is away repeat, in the log once a minute, with a count of what was left out."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

from server.core.structlog_import import structlog

QUIET_S = 60.0
_MOST_KNOWN = 100
_log = structlog.get_logger("imageflow.kafka")


class ClientLog:
    """Leaves out lines that differ only in numbers from one of the last minute; for any thread.

    It is also the logger that librdkafka is given, each of whose clients repeats itself twice a second.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, int]] = {}

    def report(self, event: str, detail: object, **values: object) -> None:
        """Log a warning.

        Args:
            event: what happened.
            detail: its reason.
            values: further members of the line; they make no line another one.
        """
        left_out = self._left_out(event, str(detail))
        if left_out is not None:
            _log.warning(event, detail=str(detail), left_out=left_out, **values)

    def log(self, level: int, _form: str, facility: str, client: str, text: str) -> None:
        """Log a line of librdkafka.

        Args:
            level: of the standard library.
            facility: kind of the line, such as ``FAIL``.
            client: of the library.
            text: of the line, which begins with the name of a thread.
        """
        if level >= logging.WARNING:
            detail = re.sub(r"^\[thrd:[^\]]*\]: ", "", text)
            self.report("the Kafka client reports", detail, facility=facility, client=client)

    def _left_out(self, event: str, detail: str) -> int | None:
        """Return how many lines were left out since the last one of this form; None leaves this one out too."""
        form, now = re.sub(r"\d+", "#", detail), self._clock()
        with self._lock:
            logged, left_out = self._known.get((event, form), (None, 0))
            if logged is not None and now - logged < QUIET_S:
                self._known[event, form] = logged, left_out + 1
                return None
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[event, form] = now, 0
            return left_out


CLIENT_LOG = ClientLog()
"""Of all clients of this process."""
