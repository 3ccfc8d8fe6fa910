"""The circuit of a replica opens after failures in a row, and one call decides whether it closes again."""

from __future__ import annotations

import pytest

from server.services.circuit import FAILURES, OPEN_S, Circuit, CircuitState
from server.services.retrying import pause_before


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(clock: Clock) -> Circuit:
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.fail(circuit.begin())
    return circuit


def test_a_new_circuit_lets_calls_through(clock: Clock) -> None:
    circuit = Circuit(clock)
    assert (circuit.state, circuit.allows) == (CircuitState.CLOSED, True)


def test_the_fifth_failure_in_a_row_opens_the_circuit(clock: Clock) -> None:
    circuit = Circuit(clock)
    states = []
    for _ in range(5):
        circuit.fail(circuit.begin())
        states.append(circuit.state)
    assert states == [CircuitState.CLOSED] * 4 + [CircuitState.OPEN]


def test_a_success_forgets_the_failures_before_it(clock: Clock) -> None:
    circuit = Circuit(clock)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            circuit.fail(circuit.begin())
        circuit.succeed(circuit.begin())
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
    opened.begin()
    assert (opened.state, opened.allows) == (CircuitState.HALF_OPEN, False)


def test_the_call_that_succeeds_closes_a_half_open_circuit(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S
    opened.succeed(opened.begin())
    assert (opened.state, opened.allows) == (CircuitState.CLOSED, True)


def test_the_call_that_fails_opens_a_half_open_circuit_for_another_30_seconds(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S
    opened.fail(opened.begin())
    assert opened.state is CircuitState.OPEN
    clock.now += OPEN_S
    assert opened.allows


def test_a_cancelled_call_leaves_a_half_open_circuit_for_another_one(opened: Circuit, clock: Clock) -> None:
    clock.now += OPEN_S
    opened.abandon(opened.begin())
    assert (opened.state, opened.allows) == (CircuitState.HALF_OPEN, True)


def test_an_open_circuit_begins_no_call(opened: Circuit) -> None:
    with pytest.raises(RuntimeError):
        opened.begin()


def test_a_late_success_of_an_older_call_leaves_the_circuit_open(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = circuit.begin()
    for _ in range(FAILURES):
        circuit.fail(circuit.begin())
    circuit.succeed(slow)
    assert circuit.state is CircuitState.OPEN


def test_a_late_success_of_an_older_call_does_not_decide_for_a_half_open_circuit(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = circuit.begin()
    for _ in range(FAILURES):
        circuit.fail(circuit.begin())
    clock.now += OPEN_S
    circuit.begin()
    circuit.succeed(slow)
    assert (circuit.state, circuit.allows) == (CircuitState.HALF_OPEN, False)


def test_a_late_failure_of_an_older_call_does_not_prolong_an_open_circuit(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = circuit.begin()
    for _ in range(FAILURES):
        circuit.fail(circuit.begin())
    clock.now += OPEN_S - 1
    circuit.fail(slow)
    assert circuit.seconds_until_tried == pytest.approx(1)


def test_late_failures_of_older_calls_do_not_open_a_circuit_that_closed_again(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = [circuit.begin() for _ in range(FAILURES)]
    for _ in range(FAILURES):
        circuit.fail(circuit.begin())
    clock.now += OPEN_S
    circuit.succeed(circuit.begin())
    for call in slow:
        circuit.fail(call)
    assert circuit.state is CircuitState.CLOSED


def test_a_call_that_was_given_up_does_not_let_another_one_decide_too(clock: Clock) -> None:
    circuit = Circuit(clock)
    slow = circuit.begin()
    for _ in range(FAILURES):
        circuit.fail(circuit.begin())
    clock.now += OPEN_S
    circuit.begin()
    circuit.abandon(slow)
    assert not circuit.allows


def test_pauses_double_from_a_tenth_of_a_second_to_five() -> None:
    assert [pause_before(attempt, 1.0) for attempt in (1, 2, 3, 7, 20)] == [0.1, 0.2, 0.4, 5.0, 5.0]


def test_the_jitter_is_the_whole_pause() -> None:
    assert (pause_before(3, 0.0), pause_before(3, 0.5)) == (0.0, 0.2)
