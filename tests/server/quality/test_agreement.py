"""Agreement of machine and persons: values that are published or counted by hand."""

from __future__ import annotations

import pytest

from server.quality.agreement import agreement, cohen_kappa


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # The worked example of the encyclopedias: two readers of 50 proposals, p_o 0.7, p_e 0.5.
        ((20, 5, 10, 15), 0.4),
        # Two tables of equal agreement, of which the second owes more to chance.
        ((45, 15, 25, 15), 0.1304),
        ((25, 35, 5, 35), 0.2593),
        ((50, 0, 0, 50), 1.0),
        ((0, 50, 50, 0), -1.0),
        ((100, 0, 0, 0), None),
        ((0, 0, 0, 0), None),
    ],
)
def test_kappa_has_its_known_values(table: tuple[int, int, int, int], kappa: float | None) -> None:
    assert cohen_kappa(*table) == kappa


def test_escapes_are_shares_of_what_persons_found_ng() -> None:
    found = agreement({("OK", "NG"): 2, ("NG", "NG"): 6, ("NG", "OK"): 3, ("OK", "OK"): 89})
    assert (found.escapes.count, found.escapes.total, found.escapes.rate) == (2, 8, 25.0)
    assert (found.overkill.count, found.overkill.total, found.overkill.rate) == (3, 92, 3.26)
    assert (found.agreed.count, found.agreed.total, found.agreed.rate) == (95, 100, 95.0)


def test_of_nothing_there_is_no_rate() -> None:
    found = agreement({})
    assert (found.agreed.rate, found.escapes.rate, found.overkill.rate, found.kappa) == (None, None, None, None)
