import pytest

from inspection.anomaly.threshold.separation import separation


def test_a_threshold_above_the_best_one_has_a_lower_f1() -> None:
    found = separation([1.0, 2.0, 3.0, 4.0], [3.5, 5.0, 6.0, 7.0], 5.5, "drawn")
    assert (found.escapes, found.f1) == (2, pytest.approx(2 * 2 / (2 * 2 + 2)))
    assert found.best_f1 == pytest.approx(2 * 4 / (2 * 4 + 1))
    assert 3.0 <= found.best_threshold < 3.5
    assert found.auroc == pytest.approx(15 / 16)


def test_a_separation_without_defects_is_refused() -> None:
    with pytest.raises(ValueError, match="defects"):
        separation([1.0, 2.0], [], 1.5, "drawn")
