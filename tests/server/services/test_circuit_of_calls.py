"""Calls open and close the circuit of the replica that they reach, over real gRPC."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

from models.errors import InvalidInput, Unavailable
from server.grpc.contract import RESIZE
from server.services.calling import call
from server.services.circuit import FAILURES, CircuitState
from tests.support.calls_of_services import GOOD, asked, connected, failing, read
from tests.support.grpc_services import PlantedReplica


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
