"""The attempts of a call: how many there are, what lies between them, and what the call ends with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from models.errors import DoesNotFit, Unavailable
from server.core.metrics import CallMetrics, Metrics
from server.grpc.contract import FILTER
from server.grpc.faults import AttemptFailed
from server.services.attempts import Attempt, Attempts
from server.services.circuit import FAILURES, CircuitState
from server.services.replicas import Replica, Replicas
from tests.support.embedded_services import replicas_of

AWAY = AttemptFailed(grpc.StatusCode.UNAVAILABLE, "away")
FAULT = AttemptFailed(grpc.StatusCode.INTERNAL, "a fault")
REFUSAL = DoesNotFit("crop-outside", step="s", width=1, height=1)
REFUSED = AttemptFailed(grpc.StatusCode.FAILED_PRECONDITION, "it does not fit", REFUSAL)


@asynccontextmanager
async def known(
    addresses: str = "127.0.0.1:9", metrics: CallMetrics | None = None, **changes: Any
) -> AsyncIterator[Replicas]:
    found = await replicas_of(FILTER, addresses, metrics, **changes)
    try:
        yield found
    finally:
        await found.close()


def begun(attempts: Attempts) -> Attempt:
    """Begin an attempt that may begin."""
    attempt = attempts.begin()
    assert attempt is not None
    return attempt


def code_of(attempts: Attempts) -> str:
    """Return the code of the error by which a call cannot begin."""
    with pytest.raises(Unavailable) as caught:
        attempts.begin()
    return caught.value.code


def test_there_is_no_pause_before_the_first_attempt() -> None:
    async def main() -> float:
        async with known() as replicas:
            return Attempts(replicas).pause_s

    assert asyncio.run(main()) == 0


def test_there_is_a_pause_before_a_further_attempt() -> None:
    async def main() -> list[float]:
        async with known() as replicas:
            attempts = Attempts(replicas)
            attempts.failed(begun(attempts), AWAY)
            return [attempts.pause_s for _ in range(20)]

    pauses = asyncio.run(main())
    assert 0 < max(pauses) <= 0.1


def test_a_pause_ends_with_the_deadline() -> None:
    async def main() -> list[float]:
        async with known(retries=FAILURES) as replicas:
            attempts = Attempts(replicas, deadline_s=1.0)
            for _ in range(FAILURES):
                attempts.failed(begun(attempts), AWAY)
            # Without a deadline it would be up to 1.6 s.
            return [attempts.pause_s for _ in range(100)]

    assert max(asyncio.run(main())) <= 1.0


def test_there_are_as_many_attempts_as_the_contract_says() -> None:
    async def main() -> list[bool]:
        async with known(retries=2) as replicas:
            attempts = Attempts(replicas)
            goes_on = [attempts.goes_on]
            for _ in range(3):
                attempts.failed(begun(attempts), AWAY)
                goes_on.append(attempts.goes_on)
            return goes_on

    assert asyncio.run(main()) == [True, True, True, False]


@pytest.mark.parametrize("failure", [FAULT, REFUSED], ids=["fault", "refusal"])
def test_nothing_follows_a_failure_that_another_attempt_would_not_mend(failure: AttemptFailed) -> None:
    async def main() -> bool:
        async with known(retries=2) as replicas:
            attempts = Attempts(replicas)
            attempts.failed(begun(attempts), failure)
            return attempts.goes_on

    assert not asyncio.run(main())


def test_a_further_attempt_is_made_at_another_replica() -> None:
    async def main() -> list[Replica]:
        async with known("127.0.0.1:9,127.0.0.1:10") as replicas:
            attempts = Attempts(replicas)
            first = begun(attempts)
            attempts.failed(first, AWAY)
            second = begun(attempts)
            return [first.replica, second.replica]

    first, second = asyncio.run(main())
    assert first is not second


def test_no_attempt_begins_after_the_deadline() -> None:
    async def main() -> Attempts:
        async with known() as replicas:
            attempts = Attempts(replicas, deadline_s=0.0)
            assert attempts.begin() is None
            return attempts

    attempts = asyncio.run(main())
    assert not attempts.goes_on
    error = attempts.error()
    assert (error.code, str(error.values["reason"])) == ("service-unavailable", "the deadline has passed")


def test_an_attempt_may_take_what_is_left_of_the_deadline() -> None:
    async def main() -> tuple[float, float]:
        async with known(timeout_s=5.0) as replicas:
            return begun(Attempts(replicas, deadline_s=2.0)).left_s, begun(Attempts(replicas, deadline_s=60.0)).left_s

    shorter, own = asyncio.run(main())
    assert 0 < shorter <= 2
    assert own == 5


def test_a_call_of_a_service_without_a_replica_cannot_begin() -> None:
    async def main() -> str:
        async with known("") as replicas:
            return code_of(Attempts(replicas))

    assert asyncio.run(main()) == "service-unavailable"


def test_a_call_of_a_service_whose_circuit_is_open_cannot_begin() -> None:
    async def main() -> str:
        async with known() as replicas:
            for _ in range(FAILURES):
                attempts = Attempts(replicas)
                attempts.failed(begun(attempts), FAULT)
            return code_of(Attempts(replicas))

    assert asyncio.run(main()) == "service-circuit-open"


def test_a_call_that_opens_the_circuit_itself_ends_with_its_own_failure() -> None:
    async def main() -> tuple[Attempt | None, bool, str]:
        async with known(retries=FAILURES) as replicas:
            attempts = Attempts(replicas)
            for _ in range(FAILURES):
                attempts.failed(begun(attempts), AWAY)
            return attempts.begin(), attempts.goes_on, attempts.error().code

    assert asyncio.run(main()) == (None, False, "service-unavailable")


def test_a_refusal_is_what_the_call_ends_with() -> None:
    async def main() -> tuple[Any, CircuitState]:
        async with known() as replicas:
            for _ in range(FAILURES):
                attempts = Attempts(replicas)
                attempts.failed(begun(attempts), REFUSED)
            return attempts.error(), replicas.circuit

    error, circuit = asyncio.run(main())
    assert error is REFUSAL
    assert circuit is CircuitState.CLOSED


def test_an_attempt_that_was_answered_forgets_the_failures_before_it() -> None:
    async def main() -> CircuitState:
        async with known(retries=FAILURES) as replicas:
            attempts = Attempts(replicas)
            for _ in range(FAILURES - 1):
                attempts.failed(begun(attempts), AWAY)
            attempts.answered(begun(attempts))
            attempts = Attempts(replicas)
            attempts.failed(begun(attempts), AWAY)
            return replicas.circuit

    assert asyncio.run(main()) is CircuitState.CLOSED


def test_abandoned_attempts_do_not_open_the_circuit() -> None:
    async def main() -> CircuitState:
        async with known() as replicas:
            for _ in range(2 * FAILURES):
                attempts = Attempts(replicas)
                attempts.abandoned(begun(attempts))
            return replicas.circuit

    assert asyncio.run(main()) is CircuitState.CLOSED


def test_every_attempt_is_counted_by_how_it_ended() -> None:
    metrics = Metrics()

    async def main() -> None:
        async with known(metrics=metrics.grpc_called) as replicas:
            attempts = Attempts(replicas)
            attempts.failed(begun(attempts), AWAY)
            attempts.abandoned(begun(attempts))
            attempts.answered(begun(attempts))

    asyncio.run(main())
    shown = metrics.text().decode()
    for code in ("UNAVAILABLE", "CANCELLED", "OK"):
        labels = f'{{code="{code}",method="{FILTER.method}",service="{FILTER.full_name}"}} 1.0'
        assert f"imageflow_grpc_client_handled_total{labels}" in shown
