"""Calls of services that fail, hang, answer slowly or answer garbage: over real gRPC, with planted replicas."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
import pytest

from models.errors import InvalidInput, NotFound, Unavailable, UnreadableImage
from server.core.settings import ServerSettings
from server.grpc.contract import RESIZE
from server.grpc.faults import trailers_of
from server.grpc.messages import parsed
from server.grpc.stubs import common_pb2, resize_pb2
from server.objects.keys import key_of
from server.services.addresses import Address, configured, embedded_services, parse_addresses, resolve
from server.services.answers import answer_of
from server.services.calling import call
from server.services.circuit import FAILURES, CircuitState
from server.services.replicas import Replicas
from server.services.step_services import StoredImage
from tests.support.grpc_services import PlantedReplica

SERVICE = replace(RESIZE, timeout_s=2.0)
GOOD = resize_pb2.ResizeResponse(
    result=common_pb2.ProcessingResult(status=common_pb2.PROCESSING_STATUS_COMPLETED)
).SerializeToString()
Answer = Callable[[bytes, Any], Awaitable[bytes]]


async def good(_data: bytes, _context: Any) -> bytes:
    return GOOD


async def garbage(_data: bytes, _context: Any) -> bytes:
    return b"\xff\xfe not a message"


async def hanging(_data: bytes, _context: Any) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


def failing(status: grpc.StatusCode, details: str = "planted", trailers: Any = ()) -> Answer:
    async def answer(_data: bytes, context: Any) -> bytes:
        await context.abort(status, details, trailers)
        raise AssertionError

    return answer


def read(data: bytes) -> resize_pb2.ResizeResponse:
    return parsed(resize_pb2.ResizeResponse, data)


async def connected(*replicas: PlantedReplica, clock: Callable[[], float] = time.monotonic, **changes: Any) -> Replicas:
    addresses = [parse_addresses(replica.address, "test")[0] for replica in replicas]
    found = Replicas(
        replace(SERVICE, **changes),
        addresses,
        lambda address, _: grpc.aio.insecure_channel(address.target, [("grpc.use_local_subchannel_pool", 1)]),
        clock,
    )
    await found.refresh()
    return found


async def asked(replicas: Replicas, deadline_s: float | None = None) -> resize_pb2.ResizeResponse:
    try:
        return await call(replicas, b"", read, (), deadline_s)
    finally:
        await replicas.close()


def test_calls_take_turns_among_the_replicas() -> None:
    async def main() -> list[int]:
        async with PlantedReplica(RESIZE, good) as one, PlantedReplica(RESIZE, good) as two:
            replicas = await connected(one, two)
            for _ in range(10):
                await call(replicas, b"", read, ())
            await replicas.close()
            return [one.calls, two.calls]

    assert asyncio.run(main()) == [5, 5]


@pytest.mark.parametrize(
    "status",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED],
)
def test_a_replica_that_fails_for_now_is_followed_by_another_one(status: grpc.StatusCode) -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, failing(status)) as bad, PlantedReplica(RESIZE, good) as well:
            replicas = await connected(bad, well)
            for _ in range(4):
                await call(replicas, b"", read, ())
            await replicas.close()
            assert bad.calls > 0

    asyncio.run(main())


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


def test_a_refusal_is_the_very_error_that_the_service_raised() -> None:
    refusal = NotFound("service-model-unknown", name="nose", known="-")

    async def main() -> None:
        answer = failing(grpc.StatusCode.NOT_FOUND, str(refusal), trailers_of(refusal))
        async with PlantedReplica(RESIZE, answer) as bad:
            replicas = await connected(bad)
            with pytest.raises(NotFound) as caught:
                await asked(replicas)
            assert (caught.value.code, caught.value.values) == (refusal.code, refusal.values)
            assert bad.calls == 1

    asyncio.run(main())


def test_a_refusal_of_an_image_is_told_from_other_refusals() -> None:
    refusal = UnreadableImage("image-damaged", name="image", format="png")

    async def main() -> None:
        answer = failing(grpc.StatusCode.INVALID_ARGUMENT, str(refusal), trailers_of(refusal))
        async with PlantedReplica(RESIZE, answer) as bad:
            with pytest.raises(UnreadableImage) as caught:
                await asked(await connected(bad))
            assert caught.value.code == refusal.code

    asyncio.run(main())


@pytest.mark.parametrize("trailer", ["", "{", '{"code": "no-such-code", "values": {}}', '{"code": 7}', "[]"])
def test_a_refusal_of_another_program_is_told_as_it_came(trailer: str) -> None:
    async def main() -> None:
        trailers = (("imageflow-error", trailer),)
        answer = failing(grpc.StatusCode.INVALID_ARGUMENT, "too wide", trailers)
        async with PlantedReplica(RESIZE, answer) as bad:
            with pytest.raises(InvalidInput) as caught:
                await asked(await connected(bad))
            assert caught.value.code == "service-refused"
            assert "too wide" in str(caught.value)

    asyncio.run(main())


def test_refusals_leave_the_circuit_closed() -> None:
    async def main() -> CircuitState:
        async with PlantedReplica(RESIZE, failing(grpc.StatusCode.INVALID_ARGUMENT)) as bad:
            replicas = await connected(bad)
            for _ in range(2 * FAILURES):
                with pytest.raises(InvalidInput):
                    await call(replicas, b"", read, ())
            state = replicas.circuit
            await replicas.close()
            return state

    assert asyncio.run(main()) is CircuitState.CLOSED


def test_garbage_is_an_unavailable_service() -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, garbage) as bad:
            with pytest.raises(Unavailable) as caught:
                await asked(await connected(bad, retries=0))
            assert caught.value.code == "service-unavailable"

    asyncio.run(main())


def test_a_replica_that_answers_garbage_is_followed_by_another_one() -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, garbage) as bad, PlantedReplica(RESIZE, good) as well:
            replicas = await connected(bad, well)
            for _ in range(4):
                await call(replicas, b"", read, ())
            await replicas.close()
            assert bad.calls > 0

    asyncio.run(main())


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
            replicas = await connected(bad)
            began = time.monotonic()
            with pytest.raises(Unavailable) as caught:
                await asked(replicas, deadline_s=0.3)
            assert caught.value.code == "service-unavailable"
            return time.monotonic() - began

    assert 0.25 < asyncio.run(main()) < 1.5


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


def test_an_open_circuit_answers_without_a_call() -> None:
    async def main() -> None:
        async with PlantedReplica(RESIZE, failing(grpc.StatusCode.INTERNAL)) as bad:
            replicas = await connected(bad)
            for _ in range(FAILURES):
                with pytest.raises(Unavailable):
                    await call(replicas, b"", read, ())
            with pytest.raises(Unavailable) as caught:
                await asked(replicas)
            assert caught.value.code == "service-circuit-open"
            assert caught.value.members["retry_after"] == 30
            assert bad.calls == FAILURES

    asyncio.run(main())


def test_a_circuit_that_has_been_open_long_enough_closes_with_a_good_call() -> None:
    now = [0.0]
    healed = asyncio.Event()

    async def answer(data: bytes, context: Any) -> bytes:
        return GOOD if healed.is_set() else await failing(grpc.StatusCode.INTERNAL)(data, context)

    async def main() -> None:
        async with PlantedReplica(RESIZE, answer) as bad:
            replicas = await connected(bad, clock=lambda: now[0])
            for _ in range(FAILURES):
                with pytest.raises(Unavailable):
                    await call(replicas, b"", read, ())
            healed.set()
            now[0] += 30
            await call(replicas, b"", read, ())
            assert replicas.circuit is CircuitState.CLOSED
            await replicas.close()

    asyncio.run(main())


def test_an_answer_that_comes_late_leaves_the_circuit_open() -> None:
    released = asyncio.Event()

    async def answer(data: bytes, context: Any) -> bytes:
        if data == b"slow":
            await released.wait()
            return GOOD
        return await failing(grpc.StatusCode.INTERNAL)(data, context)

    async def main() -> CircuitState:
        async with PlantedReplica(RESIZE, answer) as bad:
            replicas = await connected(bad, timeout_s=30)
            slow = asyncio.create_task(call(replicas, b"slow", read, ()))
            while not bad.calls:
                await asyncio.sleep(0.01)
            for _ in range(FAILURES):
                with pytest.raises(Unavailable):
                    await call(replicas, b"", read, ())
            released.set()
            await slow
            state = replicas.circuit
            await replicas.close()
            return state

    assert asyncio.run(main()) is CircuitState.OPEN


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


ORIGINAL = StoredImage(
    bucket="images", object_key=f"line/{key_of('a' * 64)}", content_type="", size_bytes=1, width=9, height=9
)


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("other", f"line/{key_of('b' * 64)}"),
        ("images", key_of("b" * 64)),
        ("images", "../../etc/passwd"),
        ("images", f"line/../line/{key_of('b' * 64)}"),
    ],
)
def test_an_output_of_another_store_is_an_answer_that_is_none(bucket: str, key: str) -> None:
    made = common_pb2.ImageData(bucket=bucket, object_key=key, width=5, height=5)
    result = common_pb2.ProcessingResult(status=common_pb2.PROCESSING_STATUS_COMPLETED, output_image=made)
    with pytest.raises(InvalidInput) as refused:
        answer_of(ORIGINAL, result, ())
    assert refused.value.code == "service-message-malformed"


def test_an_output_beside_its_input_is_taken() -> None:
    made = common_pb2.ImageData(bucket="images", object_key=f"line/{key_of('b' * 64)}", width=5, height=5)
    answer = answer_of(ORIGINAL, common_pb2.ProcessingResult(output_image=made), ())
    assert answer.output is not None
    assert (answer.output.bucket, answer.output.object_key) == (made.bucket, made.object_key)


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


def test_a_service_without_a_replica_is_unavailable() -> None:
    async def main() -> None:
        replicas = await connected()
        with pytest.raises(Unavailable) as caught:
            await asked(replicas)
        assert caught.value.code == "service-unavailable"

    asyncio.run(main())


def test_a_name_stands_for_the_addresses_that_it_resolves_to() -> None:
    assert Address("127.0.0.1", 5) in asyncio.run(resolve(Address("localhost", 5)))


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


@pytest.mark.parametrize("host", ["nowhere.invalid", "no..where.invalid", f"{'a' * 64}.invalid"])
def test_a_name_that_stands_for_nothing_is_an_error_of_the_system(host: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - whichever the system has
        asyncio.run(resolve(Address(host, 5)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("10.0.0.5:50051", (Address("10.0.0.5", 50051),)),
        ("dns:///resize:50051, b:7", (Address("resize", 50051), Address("b", 7))),
        ("[::1]:50051", (Address("::1", 50051),)),
    ],
)
def test_addresses_are_read_as_they_are_written(text: str, expected: tuple[Address, ...]) -> None:
    assert parse_addresses(text, "S") == expected


@pytest.mark.parametrize(
    "text",
    [
        *("host", "host:", ":50051", "host:0", "host:65536", "host:x", "host:5²"),
        *("http://host:5", "dns://10.0.0.1/host:5", "a:5;b:5", "a b:5", "::1:5", "[host]:5"),
    ],
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_addresses(text, "S")
    assert caught.value.code == "service-address-invalid"


def test_a_service_with_an_address_is_not_embedded() -> None:
    settings = ServerSettings(grpc_filter="filter:50053")
    assert [service.key for service in embedded_services(settings)] == ["resize", "ai-detection", "camera-stream"]
    assert configured(settings, RESIZE) == ()
