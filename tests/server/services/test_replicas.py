"""Rounds of health checks: what they find, what they leave alone, and what becomes of the calls under way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc.aio
import pytest
import structlog
from structlog.testing import LogCapture

from models.errors import Unavailable
from server.core.settings import ServerSettings
from server.grpc.contract import RESIZE
from server.services.addresses import Address, parse_addresses, resolve
from server.services.calling import call
from server.services.clients import ServiceClients
from server.services.replicas import SILENT_S, Replicas
from tests.support.grpc_services import PlantedReplica


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Names:
    """What the names of a service stand for, as a test says."""

    def __init__(self) -> None:
        self.found: tuple[Address, ...] = ()
        self.error: OSError | None = None
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def resolve(self, configured: Address) -> tuple[Address, ...]:
        if not configured.host.endswith(".test"):
            return await resolve(configured)  # Of a server of other tests in this process.
        self.asked += 1
        found, error = self.found, self.error
        await self.may_answer.wait()
        if error is not None:
            raise error
        return found

    def set(self, *replicas: PlantedReplica) -> None:
        self.found = tuple(parse_addresses(replica.address, "test")[0] for replica in replicas)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    found = Names()
    monkeypatch.setattr("server.services.replicas.resolve", found.resolve)
    return found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a health check shortly."""
    monkeypatch.setattr("server.services.replicas.CHECK_S", 0.3)


async def answered(data: bytes, _context: Any) -> bytes:
    return data


async def hanging(_data: bytes, _context: Any) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


async def named(clock: Callable[[], float] = lambda: 0.0) -> Replicas:
    found = Replicas(
        replace(RESIZE, timeout_s=60.0),
        (Address("resize.test", 1),),
        lambda address, _: grpc.aio.insecure_channel(address.target, [("grpc.use_local_subchannel_pool", 1)]),
        clock,
    )
    await found.refresh()
    return found


async def begun(replicas: Replicas, replica: PlantedReplica, data: bytes = b"-") -> asyncio.Task[bytes]:
    """Begin a call, and return it when the replica has it."""
    before = replica.calls
    asking = asyncio.create_task(call(replicas, data, bytes, ()))
    while replica.calls == before:
        await asyncio.sleep(0.01)
    return asking


def test_rounds_at_the_same_time_survive_a_replica_that_goes_away(names: Names) -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, answered) as one, PlantedReplica(RESIZE, answered) as two:
            names.set(one, two)
            replicas = await named()
            one.healthy = None
            first = asyncio.create_task(replicas.refresh())
            await asyncio.sleep(0)
            names.set(two)
            await asyncio.gather(first, replicas.refresh())
            two.healthy = False
            await replicas.refresh()
            known = [(replica.address.target, replica.healthy) for replica in replicas.all]
            await replicas.close()
            assert known == [(two.address, False)]

    asyncio.run(main())


@pytest.mark.parametrize("error", [RuntimeError("a fault"), asyncio.CancelledError()])
def test_a_round_that_fails_is_followed_by_others(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    refresh = Replicas.refresh
    planted = [error]

    async def failing_once(replicas: Replicas) -> None:
        if planted:
            raise planted.pop()
        await refresh(replicas)

    async def main() -> bool | None:
        async with PlantedReplica(RESIZE, answered) as one:
            clients = ServiceClients(ServerSettings(grpc_resize=one.address))
            await clients.start({})
            async with asyncio.timeout(20):
                while not clients.replicas(RESIZE.key).all:
                    await asyncio.sleep(0.01)
                while clients.replicas(RESIZE.key).all[0].healthy is None:
                    await asyncio.sleep(0.01)
            healthy = clients.replicas(RESIZE.key).all[0].healthy
            await clients.stop()
            return healthy

    monkeypatch.setattr(Replicas, "refresh", failing_once)
    monkeypatch.setattr("server.services.clients.HEALTH_EVERY_S", 0.05)
    assert asyncio.run(main()) is True


def test_a_name_that_resolves_slowly_delays_no_health_check(names: Names) -> None:
    async def main() -> bool | None:
        async with PlantedReplica(RESIZE, answered) as one:
            names.set(one)
            replicas = await named()
            names.may_answer.clear()
            one.healthy = False
            round_of_checks = asyncio.create_task(replicas.refresh())
            async with asyncio.timeout(20):
                while replicas.all[0].healthy:
                    await asyncio.sleep(0.01)
            healthy = replicas.all[0].healthy
            names.may_answer.set()
            await round_of_checks
            await replicas.close()
            return healthy

    assert asyncio.run(main()) is False


def test_a_call_under_way_is_given_up_when_its_replica_falls_silent(names: Names) -> None:
    async def main() -> str:
        clock = Clock()
        async with PlantedReplica(RESIZE, hanging) as one:
            names.set(one)
            replicas = await named(clock)
            asking = await begun(replicas, one)
            one.healthy = None
            await replicas.refresh()
            clock.now += SILENT_S
            await replicas.refresh()
            with pytest.raises(Unavailable) as caught:
                await asyncio.wait_for(asking, 20)
            await replicas.close()
            return caught.value.code

    assert asyncio.run(main()) == "service-unavailable"


def test_questions_in_quick_succession_make_no_replica_silent(names: Names) -> None:
    async def main() -> bool:
        async with PlantedReplica(RESIZE, hanging) as one:
            names.set(one)
            replicas = await named()
            asking = await begun(replicas, one)
            one.healthy = None
            for _ in range(3):
                await replicas.refresh()
            silent = replicas.all[0].silent or asking.done()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await replicas.close()
            return silent

    assert not asyncio.run(main())


def test_a_replica_too_busy_for_health_checks_keeps_its_calls(names: Names) -> None:
    async def answer(data: bytes, context: Any) -> bytes:
        return await (hanging if data == b"long" else answered)(data, context)

    async def main() -> bool:
        clock = Clock()
        async with PlantedReplica(RESIZE, answer) as one:
            names.set(one)
            replicas = await named(clock)
            long = await begun(replicas, one, b"long")
            one.healthy = None
            for _ in range(3):
                await replicas.refresh()
                await call(replicas, b"short", bytes, ())
                clock.now += SILENT_S
            given_up = replicas.all[0].silent or long.done()
            long.cancel()
            await asyncio.gather(long, return_exceptions=True)
            await replicas.close()
            return given_up

    assert not asyncio.run(main())


def test_a_silent_replica_is_asked_again_once_it_answers(names: Names) -> None:
    async def main() -> list[int]:
        clock = Clock()
        async with PlantedReplica(RESIZE, answered, healthy=None) as one:
            names.set(one)
            replicas = await named(clock)
            clock.now += SILENT_S
            await replicas.refresh()
            with pytest.raises(Unavailable):
                await call(replicas, b"", bytes, ())
            calls = [one.calls]
            one.healthy = True
            await replicas.refresh()
            await call(replicas, b"", bytes, ())
            await replicas.close()
            return [*calls, one.calls]

    assert asyncio.run(main()) == [0, 1]


def test_a_call_of_a_replica_that_has_left_its_name_is_answered(names: Names) -> None:
    released = asyncio.Event()

    async def answer(data: bytes, _context: Any) -> bytes:
        await released.wait()
        return data

    async def main() -> bytes:
        async with PlantedReplica(RESIZE, answer) as one, PlantedReplica(RESIZE, hanging) as two:
            names.set(one)
            replicas = await named()
            asking = await begun(replicas, one, b"as asked")
            names.set(two)
            await replicas.refresh()
            assert [replica.address.target for replica in replicas.all] == [two.address]
            released.set()
            result = await asyncio.wait_for(asking, 20)
            await replicas.close()
            return result

    assert asyncio.run(main()) == b"as asked"


def test_a_call_of_a_silent_replica_that_has_left_is_made_at_another_one(names: Names) -> None:
    async def main() -> bytes:
        clock = Clock()
        async with PlantedReplica(RESIZE, hanging) as one, PlantedReplica(RESIZE, answered) as two:
            names.set(one)
            replicas = await named(clock)
            asking = await begun(replicas, one, b"as asked")
            one.healthy = None
            names.set(two)
            await replicas.refresh()
            clock.now += SILENT_S
            await replicas.refresh()
            result = await asyncio.wait_for(asking, 20)
            await replicas.close()
            return result

    assert asyncio.run(main()) == b"as asked"


def test_a_closed_channel_does_not_end_its_caller_as_cancelled(names: Names) -> None:
    async def main() -> str:
        async with PlantedReplica(RESIZE, hanging) as one:
            names.set(one)
            replicas = await named()
            asking = await begun(replicas, one)
            await replicas.close()
            with pytest.raises(Unavailable) as caught:
                await asyncio.wait_for(asking, 20)
            return caught.value.code

    assert asyncio.run(main()) == "service-unavailable"


def test_a_name_without_addresses_takes_only_replicas_of_others_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stands_for: dict[str, str] = {}

    async def resolve_name(configured: Address) -> tuple[Address, ...]:
        if not configured.host.endswith(".test"):
            return await resolve(configured)
        if configured.host not in stands_for:
            raise OSError(-2, "Name or service not known")
        return parse_addresses(stands_for[configured.host], "test")

    monkeypatch.setattr("server.services.replicas.resolve", resolve_name)

    async def main() -> tuple[set[str], set[str]]:
        async with (
            PlantedReplica(RESIZE, answered) as lost,
            PlantedReplica(RESIZE, answered) as gone,
            PlantedReplica(RESIZE, answered) as new,
        ):
            stands_for.update({"a.test": lost.address, "b.test": gone.address})
            configured = (Address("a.test", 1), Address("b.test", 1))
            replicas = Replicas(RESIZE, configured, lambda address, _: grpc.aio.insecure_channel(address.target))
            await replicas.refresh()
            del stands_for["a.test"]
            stands_for["b.test"] = new.address
            await replicas.refresh()
            kept = {replica.address.target for replica in replicas.all}
            await replicas.close()
            return kept, {lost.address, new.address}

    kept, expected = asyncio.run(main())
    assert kept == expected


def test_a_name_without_addresses_is_known_with_its_reason(names: Names) -> None:
    async def main() -> list[dict[str, str]]:
        names.error = OSError(-2, "Name or service not known")
        replicas = await named()
        before = {address.target: reason for address, reason in replicas.unresolved.items()}
        names.error = None
        await replicas.refresh()
        await replicas.close()
        return [before, {address.target: reason for address, reason in replicas.unresolved.items()}]

    assert asyncio.run(main()) == [{"resize.test:1": "Name or service not known"}, {}]


def test_a_name_without_addresses_is_logged_once_until_it_has_some(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogCapture()
    monkeypatch.setattr(
        "server.services.clients._log",
        structlog.wrap_logger(None, [log], structlog.make_filtering_bound_logger(logging.INFO)),
    )
    monkeypatch.setattr("server.services.clients.HEALTH_EVERY_S", 0.02)
    reason = "Temporary failure in name resolution"

    async def rounds(count: int) -> None:
        seen = names.asked
        async with asyncio.timeout(20):
            while names.asked < seen + count:
                await asyncio.sleep(0.01)

    async def main() -> list[tuple[str, str]]:
        names.error = OSError(-3, reason)
        clients = ServiceClients(ServerSettings(grpc_resize="dns:///resize.test:1"))
        await clients.start({})
        await rounds(3)
        names.error = None
        await rounds(2)
        names.error = OSError(-3, reason)
        await rounds(3)
        await clients.stop()
        return [(entry["address"], entry["reason"]) for entry in log.entries]

    assert asyncio.run(main()) == [("resize.test:1", reason)] * 2


def test_a_name_that_was_asked_for_in_between_is_logged_all_the_same(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogCapture()
    written = structlog.wrap_logger(None, [log], structlog.make_filtering_bound_logger(logging.INFO))
    monkeypatch.setattr("server.services.clients._log", written)
    monkeypatch.setattr("server.services.clients.HEALTH_EVERY_S", 0.1)

    async def main() -> list[str]:
        clients = ServiceClients(ServerSettings(grpc_resize="dns:///resize.test:1"))
        await clients.start({})
        names.error = OSError(-2, "Name or service not known")
        await clients.check()
        asked = names.asked
        async with asyncio.timeout(20):
            while names.asked < asked + 3:
                await asyncio.sleep(0.01)
        await clients.stop()
        return [entry["address"] for entry in log.entries]

    assert asyncio.run(main()) == ["resize.test:1"]
