"""What is started with its first use."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Unavailable
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
        use = FirstUse("services", started.start)
        users = [asyncio.create_task(use()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(user.done() for user in users)
        started.may_end.set()
        await asyncio.gather(*users, use())
        return started.times, started.ended

    assert asyncio.run(main()) == (1, 1)


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def failing_once(clock: Clock) -> tuple[Started, FirstUse]:
    started = Started(RuntimeError("planted"))
    started.may_end.set()
    return started, FirstUse("services", started.start, pause_s=5.0, clock=clock)


def test_a_start_that_failed_is_tried_again_after_a_pause() -> None:
    async def main() -> tuple[int, int]:
        started, use = failing_once(clock := Clock())
        with pytest.raises(RuntimeError, match="planted"):
            await use()
        clock.now += 5.0
        await use()
        return started.times, started.ended

    assert asyncio.run(main()) == (2, 1)


def test_uses_in_the_pause_have_the_error_of_the_start() -> None:
    async def main() -> int:
        started, use = failing_once(clock := Clock())
        for _ in range(3):
            with pytest.raises(RuntimeError, match="planted") as caught:
                await use()
            assert caught.value is use.error
            clock.now += 2.0
        return started.times

    assert asyncio.run(main()) == 1


def test_the_error_of_a_start_is_kept_until_one_succeeds() -> None:
    async def main() -> tuple[bool, Exception | None]:
        started, use = failing_once(clock := Clock())
        with pytest.raises(RuntimeError, match="planted"):
            await use()
        clock.now += 5.0
        started.may_end.clear()
        again = asyncio.create_task(use())
        await asyncio.sleep(0)
        kept = use.error is not None
        started.may_end.set()
        await again
        return kept, use.error

    assert asyncio.run(main()) == (True, None)


def test_a_user_that_is_cancelled_leaves_the_start_to_the_others() -> None:
    async def main() -> tuple[int, int]:
        started = Started()
        use = FirstUse("services", started.start)
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
        use = FirstUse("services", started.start)
        user = asyncio.create_task(use())
        await asyncio.sleep(0)
        await use.stop()
        with pytest.raises(Unavailable) as caught:
            await user
        assert caught.value.code == "service-not-connected"
        return started.ended

    assert asyncio.run(main()) == 0


def test_a_use_that_comes_while_a_start_is_stopped_starts_nothing() -> None:
    async def main() -> int:
        started = Started()
        use = FirstUse("services", started.start)

        async def use_twice() -> None:
            with pytest.raises(Unavailable):
                await use()
            await use()

        user = asyncio.create_task(use_twice())
        while not started.times:
            await asyncio.sleep(0)
        await use.stop()
        with pytest.raises(Unavailable):
            await user
        return started.times

    assert asyncio.run(main()) == 1


def test_a_use_after_the_stop_is_refused() -> None:
    async def main() -> str:
        started = Started()
        use = FirstUse("services", started.start)
        await use.stop()
        with pytest.raises(Unavailable) as caught:
            await use()
        assert started.times == 0
        return caught.value.code

    assert asyncio.run(main()) == "service-not-connected"
