"""What is started with its first use."""

from __future__ import annotations

import asyncio

import pytest

from server.services.first_use import FirstUse


class Started:
    """Counts its starts; each ends when ``may_end`` is set, by the error that is next where there is one."""

    def __init__(self, *errors: Exception) -> None:
        self.times = 0
        self.ended = 0
        self.may_end = asyncio.Event()
        self._errors = list(errors)

    async def start(self) -> None:
        self.times += 1
        await self.may_end.wait()
        if self._errors:
            raise self._errors.pop(0)
        self.ended += 1


def test_uses_at_the_same_time_share_one_start() -> None:
    async def main() -> tuple[int, int]:
        started = Started()
        use = FirstUse(started.start)
        users = [asyncio.create_task(use()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(user.done() for user in users)
        started.may_end.set()
        await asyncio.gather(*users, use())
        return started.times, started.ended

    assert asyncio.run(main()) == (1, 1)


def test_a_start_that_failed_is_tried_again_with_the_next_use() -> None:
    async def main() -> tuple[int, int]:
        started = Started(RuntimeError("planted"))
        started.may_end.set()
        use = FirstUse(started.start)
        with pytest.raises(RuntimeError, match="planted"):
            await use()
        await use()
        return started.times, started.ended

    assert asyncio.run(main()) == (2, 1)


def test_a_user_that_is_cancelled_leaves_the_start_to_the_others() -> None:
    async def main() -> tuple[int, int]:
        started = Started()
        use = FirstUse(started.start)
        cancelled, other = asyncio.create_task(use()), asyncio.create_task(use())
        await asyncio.sleep(0)
        cancelled.cancel()
        started.may_end.set()
        await other
        assert cancelled.cancelled()
        return started.times, started.ended

    assert asyncio.run(main()) == (1, 1)


def test_a_start_under_way_ends_with_its_stop() -> None:
    async def main() -> int:
        started = Started()
        use = FirstUse(started.start)
        user = asyncio.create_task(use())
        await asyncio.sleep(0)
        await use.stop()
        with pytest.raises(asyncio.CancelledError):
            await user
        return started.ended

    assert asyncio.run(main()) == 0
