"""Health decides which replica of a service is asked."""

from __future__ import annotations

import asyncio

import pytest

from server.grpc.contract import RESIZE
from server.services.addresses import Address, parse_addresses
from server.services.calling import call
from tests.support.calls_of_services import connected, garbage, good, read
from tests.support.grpc_services import PlantedReplica


def test_a_replica_said_to_be_ill_is_asked_before_one_that_has_just_failed() -> None:
    async def main() -> list[int]:
        async with PlantedReplica(RESIZE, good, healthy=False) as ill, PlantedReplica(RESIZE, garbage) as failing:
            replicas = await connected(ill, failing)
            await call(replicas, b"", read, ())
            await replicas.close()
            return [failing.calls, ill.calls]

    assert asyncio.run(main()) == [1, 1]


@pytest.mark.parametrize("healthy", [False, None])
def test_a_replica_that_is_not_healthy_is_not_asked(healthy: bool | None) -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, good, healthy=healthy) as ill, PlantedReplica(RESIZE, good) as well:
            replicas = await connected(ill, well)
            for _ in range(4):
                await call(replicas, b"", read, ())
            assert (ill.calls, well.calls) == (0, 4)
            await replicas.close()

    asyncio.run(main())


def test_a_replica_that_is_gone_is_found_by_the_next_health_check() -> None:
    async def main() -> list[bool | None]:
        async with PlantedReplica(RESIZE, good) as one:
            replicas = await connected(one)
            found = [replica.healthy for replica in replicas.all]
            await one.stop()
            await replicas.refresh()
            found += [replica.healthy for replica in replicas.all]
            await replicas.close()
            return found

    assert asyncio.run(main()) == [True, False]


def test_health_checks_measure_the_latency() -> None:
    async def main() -> float | None:
        async with PlantedReplica(RESIZE, good) as one:
            replicas = await connected(one)
            latency = replicas.all[0].latency_ms
            await replicas.close()
            return latency

    latency = asyncio.run(main())
    assert latency is not None
    assert 0 < latency < 2_000


def test_a_name_is_resolved_again_with_each_check_of_health(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, good) as one, PlantedReplica(RESIZE, good) as two:
            places: list[tuple[Address, ...]] = []

            async def resolved(_: Address) -> tuple[Address, ...]:
                return places[-1]

            monkeypatch.setattr("server.services.replicas.resolve", resolved)
            known = []
            places.append(parse_addresses(one.address, "test"))
            replicas = await connected(one)
            for text in (one.address, f"{one.address},{two.address}", two.address, ""):
                places.append(parse_addresses(text, "test"))
                await replicas.refresh()
                known.append(sorted(replica.address.target for replica in replicas.all))
            await replicas.close()
            assert known == [[one.address], sorted([one.address, two.address]), [two.address], [two.address]]

    asyncio.run(main())
