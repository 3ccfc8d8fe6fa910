import numpy as np
import pytest

from app.benchmarks.inspection.anomaly import Scored, figures_of
from app.benchmarks.inspection.configuration_study import Row, average_ranks, judged, leave_one_out, tables
from app.benchmarks.inspection.image_sets import ImageSet
from app.benchmarks.inspection.splits import Split


def row(name: str, candidate: str, kind: str, auroc: float) -> Row:
    return {"set": name, "candidate": candidate, "kind": kind, "auroc": auroc}


ROWS = [
    row(name, candidate, kind, auroc)
    for name, kind, values in (
        ("a", "drawn", (0.9, 0.8)),
        ("a", "ranking", (0.7, 0.8)),
        ("b", "drawn", (0.6, 0.7)),
        ("b", "ranking", (0.6, 0.7)),
        ("b", "real", (0.95, 0.85)),
        ("c", "drawn", (0.6, 0.7)),
        ("c", "ranking", (0.5, 0.9)),
    )
    for candidate, auroc in zip(("one", "two"), values, strict=True)
]


def test_the_auroc_of_a_candidate_is_its_mean_over_the_folds() -> None:
    found = tables([row("a", "one", "drawn", 0.5), row("a", "one", "drawn", 0.7)])
    assert found["drawn"]["a"]["one"] == pytest.approx(0.6)


def test_a_set_with_real_defects_is_judged_by_them() -> None:
    assert judged(tables(ROWS)) == {
        "a": {"one": 0.9, "two": 0.8},
        "b": {"one": 0.95, "two": 0.85},
        "c": {"one": 0.6, "two": 0.7},
    }


def test_equal_candidates_share_the_mean_of_their_ranks() -> None:
    ranks = average_ranks({"a": {"one": 0.9, "two": 0.9, "three": 0.1}})
    assert ranks == {"one": 1.5, "two": 1.5, "three": 3.0}


def test_a_set_takes_no_part_in_choosing_the_default_it_is_left_out_of() -> None:
    found = {name: rest for name, *rest in leave_one_out(tables(ROWS))}
    assert found["c"] == ["one", 0.6, "two", 0.7]


def test_a_figure_over_seeds_is_the_mean_of_the_figures_of_each_seed() -> None:
    images = ImageSet("part", "parts", Split((), (), (), ()), 0.9)
    # The first seed separates all, the second none.
    found = Scored([np.array([[0.5, 2.0]]), np.array([[0.6, 2.0]])], [np.array([[1.5, 0.5]])], fitted=9)
    figures = {figure.name: figure for figure in figures_of(images, found, 2)}
    assert figures["part_image_auroc"].value == pytest.approx(0.5)
    assert figures["part_image_auroc"].met is False
    assert figures["part_false_alarm_rate"].value == pytest.approx(0.5)
    assert figures["part_escape_rate"].value == pytest.approx(0.5)
    assert figures["part_f1"].value == pytest.approx(0.5)
    assert figures["part_best_f1"].value == pytest.approx((1.0 + 0.5) / 2)
