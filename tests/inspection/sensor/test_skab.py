import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.benchmarks.areas import AREAS
from app.benchmarks.inspection.skab import measure
from inspection.metrics import average_precision, volume_under_surface
from inspection.sensor import read_table
from models.errors import InvalidInput
from tests.support.errors import has_code

FILES = ("valve2/0.csv", "valve2/2.csv", "other/9.csv")


@pytest.mark.slow
def test_the_benchmark_counts_alarms_of_rows_after_the_first_400(data: Path, tmp_path: Path) -> None:
    later = []
    for name in FILES:
        target = tmp_path / "skab" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / "skab" / name, target)
        table = read_table(target)
        later.append(table.values[400:, table.columns.index("anomaly")] > 0.5)
    done: list[tuple[int, int]] = []
    figures = {found.name: found for found in measure(tmp_path, seeds=1, on_file=lambda *at: done.append(at))}
    assert done == [(place, 6) for place in range(1, 7)]
    anomalous, rows = sum(part.sum() for part in later), sum(map(len, later))
    value = {name: found.value or 0.0 for name, found in figures.items()}
    assert value["skab_f1_always_on"] == pytest.approx(2 * anomalous / (anomalous + rows))
    assert value["skab_f1"] > value["skab_f1_always_on"] + 0.05
    assert 0 < value["skab_far"] < 0.4
    assert value["skab_average_precision"] > anomalous / rows
    assert {"skab_mar", "skab_f1_t2q", "skab_f1_pca_q", "skab_vus_pr", "skab_fit_s_per_file"} <= set(figures)
    interval = figures["skab_f1"].interval
    assert interval is not None
    assert interval[0] <= value["skab_f1"] <= interval[1]
    areas = [area for area in AREAS.values() for one in area.measures if one.module == measure.__module__]
    assert [area.command for area in areas] == ["imageflow bench skab"]


def test_a_folder_without_the_files_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, check=has_code("folder-missing", folder=str(tmp_path / "valve1"))):
        measure(tmp_path)


@pytest.mark.parametrize(
    ("text", "code"),
    [("a,changepoint\n1,0\n", "sensor-column-unknown"), ("a,anomaly,changepoint\n1,0,0\n", "sensor-too-few-rows")],
)
def test_files_of_another_kind_are_reported(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "valve1").mkdir()
    (tmp_path / "valve1" / "0.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as raised:
        measure(tmp_path)
    assert raised.value.code == code


def precision(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float | None:
    return average_precision(scores[~labels], scores[labels])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), longest=st.integers(0, 60))
def test_perfect_scores_have_a_larger_volume_than_noise(seed: int, longest: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros(300, np.bool_)
    labels[100:160] = labels[220:230] = True
    noise = volume_under_surface(rng.random(300), labels, longest)
    perfect = volume_under_surface(labels + rng.random(300) * 0.1, labels, longest)
    assert 0 <= noise < perfect <= 1
    assert perfect > 0.7


def test_without_tolerance_the_volume_of_one_anomaly_is_the_average_precision() -> None:
    labels = np.zeros(200, np.bool_)
    labels[50:80] = True
    scores = np.random.default_rng(0).random(200) + labels
    # The first row found is in the anomaly: nothing is taken off for anomalies that are not found at all.
    assert volume_under_surface(scores, labels, 0) == pytest.approx(precision(scores, labels))


def test_an_alarm_a_little_early_counts_more_than_one_far_away() -> None:
    labels = np.zeros(300, np.bool_)
    labels[100:140] = True
    near, far = np.zeros(300), np.zeros(300)
    near[90:130] = 1
    far[90:130] = far[200:210] = 0
    far[100:130] = far[200:210] = 1
    assert volume_under_surface(near, labels, 40) > volume_under_surface(far, labels, 40)
    assert precision(near, labels) == pytest.approx(precision(far, labels))
