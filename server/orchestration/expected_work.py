"""What a worker knows of the executions that wait, so that it looks into the database only when it may find one."""

from __future__ import annotations

import asyncio


class ExpectedWork:
    """Counts what was announced since nothing was found; several may look at the same time.

    Attributes:
        total: executions that were ever announced.
    """

    def __init__(self) -> None:
        self.total = 0
        self._settled = 0
        self._nothing_else = False
        self._news = asyncio.Event()

    @property
    def announced(self) -> int:
        """Executions that were announced and that this worker has not found yet; another one may have."""
        return self.total - self._settled

    @property
    def may_find(self) -> bool:
        """Whether there may be an execution to claim."""
        return self.announced > 0 or not self._nothing_else

    def announce(self) -> None:
        """Count an execution that was announced."""
        self.total += 1
        self._news.set()

    def found_one(self, total: int) -> None:
        """Note that an execution was found.

        Args:
            total: as it was before it was looked for; what was announced meanwhile is another one.
        """
        self._settled = max(self._settled, min(total, self._settled + 1))

    def found_none(self, total: int) -> None:
        """Note that none was found.

        Args:
            total: as it was before it was looked for; what was announced meanwhile may be there.
        """
        self._settled = max(self._settled, total)
        self._nothing_else = True

    async def wait(self, seconds: float) -> None:
        """Wait for an announcement; after ``seconds`` there may be an execution that nobody announced."""
        self._news.clear()
        if self.announced:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            self._nothing_else = False
