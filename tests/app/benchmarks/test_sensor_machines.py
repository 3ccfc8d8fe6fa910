"""The generated machines, and how episodes on them are counted."""

import numpy as np
import pytest

from app.benchmarks.inspection.machines import Fault, Machine, generated
from app.benchmarks.inspection.sensors import judged, not_measured

MACHINE = Machine("pump", np.zeros((1000, 1)), np.arange(1000.0), 200, (Fault(500, 600, 650), Fault(800, 850, 1000)))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_machines() -> None:
    first, second = ([machine.values for machine in generated(5)] for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_every_fault_begins_after_the_training_rows() -> None:
    for machine in generated(6):
        assert all(machine.training < fault.start < fault.end <= len(machine.values) for fault in machine.faults)


def scores(*alarms: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    out = np.zeros(800)
    for start, end in alarms:
        out[start - 200 : end - 200] = 2.0
    return out


def test_an_episode_away_from_every_fault_is_false() -> None:
    found = judged(MACHINE, scores((300, 310), (520, 530), (810, 820)), 20)
    assert (found.found, found.false) == (2, 1)


def test_an_alarm_after_the_deadline_finds_nothing_but_is_not_false() -> None:
    found = judged(MACHINE, scores((620, 630), (900, 950)), 20)
    assert (found.found, found.false) == (0, 0)


def test_event_f1_weighs_missed_faults_as_false_episodes() -> None:
    found = judged(MACHINE, scores((300, 310), (520, 530)), 20)
    assert found.f1(2) == pytest.approx(0.5)


def test_a_way_whose_package_is_absent_has_figures_that_say_so() -> None:
    found = list(not_measured({"discord": "stumpy"}))
    assert [(figure.name, figure.value) for figure in found] == [
        ("sensors_mean_vus_pr_discord", None),
        ("sensors_mean_event_f1_discord", None),
    ]
    assert all("stumpy" in figure.note for figure in found)
