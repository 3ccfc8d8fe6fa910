"""Wakes the one task of an event loop that waits: from any thread, at once or, for several reasons together, soon."""

from __future__ import annotations

import asyncio
import threading

PATIENCE_S = 0.02
"""Seconds that a reason to wake may wait at most for others."""


class Waker:
    """What a reader waits on: an ``asyncio.Event`` that any thread may set, and that need not be set each time.

    Who wakes adds first what is to be found, then calls; the reader clears, looks, and waits when it finds nothing. So
    any wake after a call serves it, and one serves all calls that wait for it.

    The first call that may wait wakes at once; those within ``PATIENCE_S`` after it wake together at the end of that
    time, and so on while they come. A call that may not wait takes along those that do.
    """

    def __init__(self) -> None:
        # The loop's own: touched nowhere but in it.
        self._event = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        # Everyone's: read and written with the lock held.
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = False  # The loop has been asked for a wake and has not served it.
        self._patient = False  # A time of patience runs, or begins with the wake that is asked for.
        self._kept = False  # Someone waits for the end of it.
        self._ended = False

    def begin(self) -> None:
        """Wake in the running loop from now on; may be repeated, in another loop, until a reader has waited."""
        self._drop_timer()
        with self._lock:
            self._loop = asyncio.get_running_loop()
            # What a loop that has ended was asked for is never served.
            self._asked = self._patient = self._kept = False

    def clear(self) -> None:
        """Forget the calls so far: the reader is about to look. Called in the loop."""
        self._event.clear()

    async def wait(self) -> None:
        """Wait until someone has called since the last ``clear``."""
        await self._event.wait()

    def wake(self, *, may_wait: bool = False) -> None:
        """Let the reader look again. Called from any thread; nothing happens before the reader has begun.

        Args:
            may_wait: whether others may come along, for ``PATIENCE_S`` at most.
        """
        with self._lock:
            loop = self._loop
            if loop is None:
                return
            if may_wait:
                if self._patient:
                    self._kept = True
                    return
                self._patient = True
            if self._asked:
                return
            self._asked = True
        try:
            loop.call_soon_threadsafe(self._serve)
        except RuntimeError:
            # A reader whose loop has ended does not read any more.
            if not loop.is_closed():
                raise

    def end(self) -> None:
        """Wake; nothing waits any more from now on, and no timer is left. Called from any thread."""
        with self._lock:
            self._ended = True
        self.wake()

    def _serve(self) -> None:
        with self._lock:
            self._asked = self._kept = False
            self._patient = patient = self._patient and not self._ended
        self._event.set()
        if not patient:
            self._drop_timer()
        elif self._timer is None:
            self._set_timer()

    def _end_patience(self) -> None:
        self._timer = None
        with self._lock:
            # Who calls meanwhile finds either the next time of patience, or none and wakes at once.
            self._patient, self._kept = self._kept, False
            patient = self._patient
        if patient:
            self._event.set()
            self._set_timer()

    def _set_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._end_patience)

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
