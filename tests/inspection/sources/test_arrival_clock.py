"""Images are dated by the monotonic clock in the order of their arrival, whatever the wall clock does."""

from hypothesis import given
from hypothesis import strategies as st

from inspection.sources.arrival_clock import ArrivalClock, both_clocks

SECOND_NS = 1_000_000_000


class Clocks:
    def __init__(self) -> None:
        self.monotonic, self.wall_ns = 100.0, 5_000 * SECOND_NS

    def __call__(self) -> tuple[float, int]:
        return self.monotonic, self.wall_ns

    def pass_by(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall_ns += round(seconds * SECOND_NS)


def test_an_image_arrived_as_long_ago_as_the_wall_clock_says() -> None:
    clocks = Clocks()
    clock = ArrivalClock(clocks)
    arrived_ns = clocks.wall_ns + SECOND_NS
    clocks.pass_by(1.25)
    assert clock.arrival(arrived_ns) == 101.0


def test_a_wall_clock_set_forward_makes_no_image_older_than_the_one_before() -> None:
    clocks = Clocks()
    clock = ArrivalClock(clocks)
    clocks.pass_by(1.0)
    first = clock.arrival(clocks.wall_ns)
    arrived_ns = clocks.wall_ns
    clocks.pass_by(0.5)
    clocks.wall_ns += 3_600 * SECOND_NS
    assert first == clock.arrival(arrived_ns) == 101.0


def test_a_wall_clock_set_back_dates_no_image_in_the_future() -> None:
    clocks = Clocks()
    clock = ArrivalClock(clocks)
    clocks.pass_by(1.0)
    arrived_ns = clocks.wall_ns
    clocks.wall_ns -= 3_600 * SECOND_NS
    assert clock.arrival(arrived_ns) == clocks.monotonic


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(-(10**13), 10**13), st.integers(-(10**13), 10**13))))
def test_no_image_is_dated_before_its_predecessor_or_after_now(steps: list[tuple[float, int, int]]) -> None:
    clocks = Clocks()
    clock = ArrivalClock(clocks)
    last = clocks.monotonic
    for passed, set_by_ns, arrived_before_ns in steps:
        clocks.pass_by(passed)
        clocks.wall_ns += set_by_ns
        arrived = clock.arrival(clocks.wall_ns - arrived_before_ns)
        assert last <= arrived <= clocks.monotonic
        last = arrived


def test_a_reading_that_was_held_up_between_the_clocks_is_not_taken() -> None:
    monotonic = iter([1.0, 1.5, 2.0, 2.001, 3.0, 3.7])
    wall_ns = iter([1, 2, 3])
    assert both_clocks(lambda: next(monotonic), lambda: next(wall_ns)) == (2.001, 2)
