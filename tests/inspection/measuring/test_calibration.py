from pathlib import Path

import pytest

from app.benchmarks.inspection.calibration import Calibration, calibrate, figures_of, measure
from inspection.anomaly import TrainingSettings
from models.errors import NotFound

QUICK = TrainingSettings(backbone="efficientnet-lite0", bank_size=200, folds=2, false_alarm_rate=0.2)


@pytest.fixture(scope="module")
def calibration(backbone: object, good_paths: list[Path]) -> Calibration:
    return calibrate(good_paths, QUICK, splits=3)


def test_every_split_judges_the_half_that_was_left_out(calibration: Calibration) -> None:
    assert calibration.images == 24
    assert set(calibration.rates) == {"quantile", "tail"}
    for rates in calibration.rates.values():
        assert len(rates) == 3
        assert all(rate in {count / 12 for count in range(13)} for rate in rates)
    assert len(calibration.held_out_excess) == 3


def test_the_figures_say_whether_the_goal_was_met() -> None:
    def found(rate: float) -> Calibration:
        return Calibration({"quantile": (rate, rate), "tail": (0.5, 0.7)}, (0.01, 0.03), 40, 30)

    figures = {figure.name: figure for figure in figures_of("tile", "magnetic tiles", found(0.05))}
    assert list(figures) == [
        "tile_false_alarm_rate_mean",
        "tile_false_alarm_rate_spread",
        "tile_false_alarm_rate_tail_mean",
        "tile_held_out_excess",
    ]
    assert figures["tile_false_alarm_rate_mean"].met
    assert figures["tile_false_alarm_rate_tail_mean"].value == pytest.approx(0.6)
    assert figures["tile_held_out_excess"].value == pytest.approx(0.02)
    for rate in (0.02, 0.08):
        assert figures_of("tile", "magnetic tiles", found(rate))[0].met is False


def test_a_missing_data_set_is_reported(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        measure(tmp_path)
    assert caught.value.code == "folder-missing"
