"""Calls of services that fail, hang, answer slowly or answer garbage: over real gRPC, with planted replicas."""

from __future__ import annotations

import asyncio
import time

import grpc
import grpc.aio
import pytest

from models.errors import Unavailable
from server.grpc.contract import RESIZE
from server.services.calling import call
from tests.support.calls_of_services import Answer, asked, connected, failing, garbage, good, hanging, read
from tests.support.grpc_services import PlantedReplica


def test_calls_take_turns_among_the_replicas() -> None:
    async def main() -> list[int]:
        async with PlantedReplica(RESIZE, good) as one, PlantedReplica(RESIZE, good) as two:
            replicas = await connected(one, two)
            for _ in range(10):
                await call(replicas, b"", read, ())
            await replicas.close()
            return [one.calls, two.calls]

    assert asyncio.run(main()) == [5, 5]


async def calls_beside_a_good_one(answer: Answer) -> int:
    """Call four times, and return how often the replica that gives ``answer`` was asked; every call is answered."""
    async with PlantedReplica(RESIZE, answer) as bad, PlantedReplica(RESIZE, good) as well:
        replicas = await connected(bad, well)
        for _ in range(4):
            await call(replicas, b"", read, ())
        await replicas.close()
        return bad.calls


@pytest.mark.parametrize(
    "status",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED],
)
def test_a_replica_that_fails_for_now_is_followed_by_another_one(status: grpc.StatusCode) -> None:
    assert asyncio.run(calls_beside_a_good_one(failing(status))) > 0


def test_a_failing_service_is_asked_as_often_as_the_contract_says() -> None:
    async def main() -> int:
        async with PlantedReplica(RESIZE, failing(grpc.StatusCode.UNAVAILABLE)) as bad:
            with pytest.raises(Unavailable) as caught:
                await asked(await connected(bad))
            assert caught.value.code == "service-unavailable"
            return bad.calls

    assert asyncio.run(main()) == 1 + RESIZE.retries


@pytest.mark.parametrize(
    "status",
    [
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.UNAUTHENTICATED,
    ],
)
def test_a_status_that_is_not_retryable_ends_the_call_at_once(status: grpc.StatusCode) -> None:
    async def main() -> int:
        async with PlantedReplica(RESIZE, failing(status)) as bad:
            with pytest.raises(Unavailable) as caught:
                await asked(await connected(bad))
            assert caught.value.code == "service-unavailable"
            return bad.calls

    assert asyncio.run(main()) == 1


def test_garbage_is_an_unavailable_service() -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, garbage) as bad:
            with pytest.raises(Unavailable) as caught:
                await asked(await connected(bad, retries=0))
            assert caught.value.code == "service-unavailable"

    asyncio.run(main())


def test_a_replica_that_answers_garbage_is_followed_by_another_one() -> None:
    assert asyncio.run(calls_beside_a_good_one(garbage)) > 0


def test_a_replica_that_hangs_is_followed_by_another_one() -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, hanging) as bad, PlantedReplica(RESIZE, good) as well:
            replicas = await connected(bad, well, timeout_s=0.2)
            for _ in range(2):
                await call(replicas, b"", read, ())
            assert bad.calls == 1
            await replicas.close()

    asyncio.run(main())


def test_the_deadline_bounds_all_attempts_together() -> None:
    async def main() -> float:
        async with PlantedReplica(RESIZE, hanging) as bad:
            # An attempt may take longer than all of them together.
            replicas = await connected(bad, timeout_s=60.0)
            began = time.monotonic()
            with pytest.raises(Unavailable) as caught:
                await asked(replicas, deadline_s=0.3)
            assert caught.value.code == "service-unavailable"
            assert bad.calls == 1
            return time.monotonic() - began

    assert 0.25 < asyncio.run(main()) < 20


def test_a_service_that_hangs_holds_up_no_other_call() -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, hanging) as bad, PlantedReplica(RESIZE, good) as well:
            stuck = asyncio.create_task(asked(await connected(bad, timeout_s=30)))
            others = await connected(well)
            for _ in range(20):
                await asyncio.wait_for(call(others, b"", read, ()), 5)
            assert not stuck.done()
            stuck.cancel()
            await asyncio.gather(stuck, return_exceptions=True)
            await others.close()

    asyncio.run(main())


def test_a_call_that_is_cancelled_ends_as_cancelled() -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, hanging) as one:
            replicas = await connected(one, timeout_s=60.0)
            asking = asyncio.create_task(call(replicas, b"", read, ()))
            while not one.calls:
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await replicas.close()

    asyncio.run(main())


def test_a_service_without_a_replica_is_unavailable() -> None:
    async def main() -> None:
        replicas = await connected()
        with pytest.raises(Unavailable) as caught:
            await asked(replicas)
        assert caught.value.code == "service-unavailable"

    asyncio.run(main())
