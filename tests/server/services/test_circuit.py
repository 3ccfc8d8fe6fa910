"""The circuit of a replica opens after failures in a row, and one call decides whether it closes again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from server.services.circuit import FAILURES, OPEN_S, Circuit, CircuitState
from server.services.retrying import pause_before


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def begun(circuit: Circuit) -> int:
    """Begin a call that the circuit allows."""
    period = circuit.begin()
    assert period is not None
    return period


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(clock: Clock) -> Circuit:
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.fail(begun(circuit))
    return circuit


def test_a_new_circuit_lets_calls_through(clock: Clock) -> None:
    circuit = Circuit(clock)
    assert (circuit.state, circuit.allows) == (CircuitState.CLOSED, True)


def test_the_fifth_failure_in_a_row_opens_the_circuit(clock: Clock) -> None:
    circuit = Circuit(clock)
    states = []
    for _ in range(5):
        circuit.fail(begun(circuit))
        states.append(circuit.state)
    assert states == [CircuitState.CLOSED] * 4 + [CircuitState.OPEN]


def test_a_success_forgets_the_failures_before_it(clock: Clock) -> None:
    circuit = Circuit(clock)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            circuit.fail(begun(circuit))
        circuit.succeed(begun(circuit))
    assert circuit.state is CircuitState.CLOSED


def test_an_open_circuit_lets_nothing_through_for_30_seconds(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S - 0.001
    assert not opened.allows
    clock.now += 0.001
    assert opened.allows


def test_an_open_circuit_says_how_long_it_stays_open(opened: Circuit, clock: Clock) -> None:
    clock.now += 10
    assert opened.seconds_until_tried == pytest.approx(20)


def test_a_half_open_circuit_lets_one_call_through(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S
    begun(opened)
    assert (opened.state, opened.allows) == (CircuitState.HALF_OPEN, False)


def test_the_call_that_succeeds_closes_a_half_open_circuit(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S
    opened.succeed(begun(opened))
    assert (opened.state, opened.allows) == (CircuitState.CLOSED, True)


def test_the_call_that_fails_opens_a_half_open_circuit_for_another_30_seconds(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S
    opened.fail(begun(opened))
    assert opened.state is CircuitState.OPEN
    clock.now += OPEN_S
    assert opened.allows


def test_a_cancelled_call_leaves_a_half_open_circuit_for_another_one(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S
    opened.abandon(begun(opened))
    assert (opened.state, opened.allows) == (CircuitState.HALF_OPEN, True)


def test_an_open_circuit_begins_no_call(opened: Circuit) -> None:
    assert opened.begin() is None


def test_a_half_open_circuit_begins_no_second_call(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S
    begun(opened)
    assert opened.begin() is None


class Meeting(Circuit):
    """Waits for a moment, before what it allows is used, for a second thread, whose turn must not come."""

    both: threading.Barrier | None = None

    @property
    def allows(self) -> bool:
        found = super().allows
        if self.both is not None:
            with suppress(threading.BrokenBarrierError):
                self.both.wait(0.2)
        return found


def test_two_threads_that_find_a_circuit_half_open_begin_one_call_between_them(clock: Clock) -> None:
    circuit = Meeting(clock)
    for _ in range(FAILURES):
        circuit.fail(begun(circuit))
    clock.now += OPEN_S
    circuit.both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        periods = [future.result() for future in [threads.submit(circuit.begin) for _ in range(2)]]
    assert sum(period is not None for period in periods) == 1


def test_a_late_success_of_an_older_call_leaves_the_circuit_open(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = begun(circuit)
    for _ in range(FAILURES):
        circuit.fail(begun(circuit))
    circuit.succeed(slow)
    assert circuit.state is CircuitState.OPEN


def test_a_late_success_of_an_older_call_does_not_decide_for_a_half_open_circuit(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = begun(circuit)
    for _ in range(FAILURES):
        circuit.fail(begun(circuit))
    clock.now += OPEN_S
    begun(circuit)
    circuit.succeed(slow)
    assert (circuit.state, circuit.allows) == (CircuitState.HALF_OPEN, False)


def test_a_late_failure_of_an_older_call_does_not_prolong_an_open_circuit(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = begun(circuit)
    for _ in range(FAILURES):
        circuit.fail(begun(circuit))
    clock.now += OPEN_S - 1
    circuit.fail(slow)
    assert circuit.seconds_until_tried == pytest.approx(1)


def test_late_failures_of_older_calls_do_not_open_a_circuit_that_closed_again(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = [begun(circuit) for _ in range(FAILURES)]
    for _ in range(FAILURES):
        circuit.fail(begun(circuit))
    clock.now += OPEN_S
    circuit.succeed(begun(circuit))
    for call in slow:
        circuit.fail(call)
    assert circuit.state is CircuitState.CLOSED


def test_a_call_that_was_given_up_does_not_let_another_one_decide_too(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = begun(circuit)
    for _ in range(FAILURES):
        circuit.fail(begun(circuit))
    clock.now += OPEN_S
    begun(circuit)
    circuit.abandon(slow)
    assert not circuit.allows


def test_pauses_double_from_a_tenth_of_a_second_to_five() -> None:
    assert [pause_before(attempt, 1.0) for attempt in (1, 2, 3, 7, 20)] == [0.1, 0.2, 0.4, 5.0, 5.0]


def test_the_jitter_is_the_whole_pause() -> None:
    assert (pause_before(3, 0.0), pause_before(3, 0.5)) == (0.0, 0.2)
