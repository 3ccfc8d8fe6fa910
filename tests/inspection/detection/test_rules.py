"""The rules between an image and its boxes, as functions of values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.command_line.train_detector import result_lines
from inspection.detection.data.labels import LabelledBox, WrongLineError, corners, parse_line
from inspection.detection.evaluation.agreement import EXACT, FASTER, agreement, within_bounds
from inspection.detection.evaluation.average_precision import EvaluatedImage, average_precision, mean_of
from inspection.detection.evaluation.measuring import MIN_CONFIDENCE
from inspection.detection.evaluation.verification import SAME
from inspection.detection.graph import letterbox
from inspection.detection.graph.heads import (
    Head,
    decode_end_to_end,
    decode_yolo,
    decode_yolox,
    probabilities,
    recognise,
    yolox_grid,
)
from inspection.detection.graph.suppression import iou_matrix, non_max_suppression
from inspection.detection.model.settings import Boxes
from inspection.detection.model_file.loading import fastest

sides = st.integers(1, 3000)
boxes_in_640 = st.tuples(
    st.floats(0, 600, width=32), st.floats(0, 600, width=32), st.floats(1, 200, width=32), st.floats(1, 200, width=32)
)


def found(rows: list[tuple[float, float, float, float, float, int]]) -> Boxes:
    array = np.array(rows, np.float32).reshape(-1, 6)
    return Boxes(array[:, :4], array[:, 4], array[:, 5].astype(np.intp))


@given(sides, sides, st.sampled_from([(640, 640), (320, 416), (224, 224)]))
def test_a_letterboxed_image_within_the_input_touches_two_sides(height: int, width: int, size: tuple[int, int]) -> None:
    place = letterbox.fit(height, width, *size)
    assert place.top >= 0
    assert place.left >= 0
    assert place.top + place.inner_height <= size[0]
    assert place.left + place.inner_width <= size[1]
    assert place.inner_height == size[0] or place.inner_width == size[1]
    assert abs(2 * place.top + place.inner_height - size[0]) <= 1
    assert abs(2 * place.left + place.inner_width - size[1]) <= 1


@given(sides, sides)
def test_the_whole_inner_part_of_the_input_is_the_whole_image(height: int, width: int) -> None:
    place = letterbox.fit(height, width, 640, 640)
    inner = (place.left, place.top, place.left + place.inner_width, place.top + place.inner_height)
    back = place.to_original(np.array([inner], np.float32))
    np.testing.assert_allclose(back, [[0, 0, width, height]], rtol=1e-5)


def test_what_the_image_does_not_cover_is_grey_114_on_both_sides() -> None:
    canvas = np.zeros((64, 64, 3), np.uint8)
    letterbox.draw(np.full((10, 20, 3), 7, np.uint8), letterbox.fit(10, 20, 64, 64), canvas)
    assert (canvas[:16] == 114).all()
    assert (canvas[16:48] == 7).all()
    assert (canvas[48:] == 114).all()


@given(st.lists(st.tuples(boxes_in_640, st.floats(0.0078125, 1, width=32), st.integers(0, 3)), max_size=25))
def test_suppression_keeps_no_two_of_a_class_that_overlap_more_than_allowed(
    rows: list[tuple[tuple[float, float, float, float], float, int]],
) -> None:
    boxes = np.array([(x, y, x + w, y + h) for (x, y, w, h), _, _ in rows], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in rows], np.float32)
    classes = np.array([number for _, _, number in rows], np.intp)
    kept = non_max_suppression(boxes, scores, classes, 0.5, 300)
    assert len(set(kept.tolist())) == len(kept)
    assert (np.diff(scores[kept]) <= 0).all()
    shares = iou_matrix(boxes, boxes)
    same = classes[:, None] == classes[None, :]
    for row in kept:
        assert all(other == row or not same[row, other] or shares[row, other] <= 0.501 for other in kept)
    for row in set(range(len(boxes))) - set(kept.tolist()):
        assert any(same[row, other] and shares[row, other] > 0.499 and scores[other] >= scores[row] for other in kept)


def test_suppression_stops_at_the_most_that_is_wanted() -> None:
    boxes = np.array([[i * 100, 0, i * 100 + 10, 10] for i in range(5)], np.float32)
    kept = non_max_suppression(boxes, np.linspace(0.1, 0.9, 5).astype(np.float32), np.zeros(5, np.intp), 0.7, 2)
    assert kept.tolist() == [4, 3]


@pytest.mark.parametrize(
    ("shape", "classes", "expected"),
    [
        ((1, 84, 8400), 80, (Head.YOLO, 80)),
        ((1, 84, 8400), None, (Head.YOLO, 80)),
        ((1, 300, 6), 3, (Head.END_TO_END, 3)),
        ((1, 8400, 85), None, (Head.YOLOX, 80)),
        ((1, 1000), None, (Head.CLASSIFIER, 1000)),
        ((1, 5, 1, 1), 5, (Head.CLASSIFIER, 5)),
        ((1, 84, 8400), 3, None),
        ((1, 1000), 10, None),
        ((1, 300, 6), None, None),
        ((1, 1), None, None),
        ((2, 84, 8400), None, None),
        ((1, 3, 640, 640), None, None),
        ((), None, None),
    ],
)
def test_heads_are_recognised_by_their_output_shape(
    shape: tuple[int, ...], classes: int | None, expected: tuple[Head, int] | None
) -> None:
    assert recognise(shape, 640, 640, classes) == expected


def test_as_many_rows_as_anchors_are_an_end_to_end_head_only_by_metadata() -> None:
    assert recognise((1, 189, 6), 96, 96, 6, end_to_end=True) == (Head.END_TO_END, 6)
    assert recognise((1, 189, 6), 96, 96, 1) == (Head.YOLOX, 1)
    assert recognise((1, 189, 6), 96, 96, 6) is None


def test_a_yolo_head_gives_the_best_class_above_the_confidence() -> None:
    output = np.array([[100, 50], [60, 50], [20, 10], [40, 10], [0.2, 0.1], [0.7, 0.3]], np.float32)
    candidates = decode_yolo(output, 0.3)
    np.testing.assert_array_equal(candidates.boxes, [[90, 40, 110, 80]])
    assert (candidates.scores.tolist(), candidates.classes.tolist()) == ([np.float32(0.7)], [1])


def test_an_end_to_end_head_is_only_filtered() -> None:
    output = np.array([[1, 2, 3, 4, 0.9, 2], [1, 2, 3, 4, 0.1, 0]], np.float32)
    candidates = decode_end_to_end(output, 0.25)
    np.testing.assert_array_equal(candidates.boxes, [[1, 2, 3, 4]])
    assert candidates.classes.tolist() == [2]


def test_a_yolox_head_counts_from_its_cell_in_its_stride() -> None:
    cells, strides = yolox_grid(64, 64)
    assert len(cells) == 8 * 8 + 4 * 4 + 2 * 2
    output = np.zeros((len(cells), 7), np.float32)
    # The second row's third cell of stride 16: column 2, row 1.
    row = 64 + 4 + 2
    output[row] = [0.5, 0.25, math.log(2), 0, 0.8, 0.1, 0.5]
    candidates = decode_yolox(output, 0.3, 64, 64)
    np.testing.assert_allclose(candidates.boxes, [[40 - 16, 20 - 8, 40 + 16, 20 + 8]])
    assert candidates.scores[0] == pytest.approx(0.4)
    assert strides[row] == 16


@given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=10))
def test_a_classifier_that_gives_logits_gives_probabilities_that_sum_to_one(values: list[float]) -> None:
    assert probabilities(np.array(values, np.float32), normalised=False).sum() == pytest.approx(1, abs=1e-5)


@given(st.integers(0, 4), *[st.floats(0.001, 1)] * 4)
def test_a_label_line_means_the_same_after_it_is_written(n: int, x: float, y: float, w: float, h: float) -> None:
    box = parse_line(LabelledBox(n, x, y, w, h).as_line(), 5)
    assert (box.number, box.x, box.width) == (n, pytest.approx(x, abs=1e-6), pytest.approx(w, abs=1e-6))


@settings(max_examples=200)
@given(st.text(alphabet="0123456789.- einfa", max_size=40))
def test_a_label_line_is_a_box_within_the_image_or_refused(line: str) -> None:
    try:
        box = parse_line(line, 3)
    except WrongLineError:
        return
    assert 0 <= box.number < 3
    assert 0 < box.width <= 1


def test_a_perfect_detector_has_average_precision_one() -> None:
    drawn = corners((LabelledBox(0, 0.5, 0.5, 0.5, 0.5), LabelledBox(1, 0.25, 0.25, 0.2, 0.2)), 100, 100)
    classes = np.array([0, 1], np.intp)
    scores = np.array([0.9, 0.8], np.float32)
    perfect = average_precision([EvaluatedImage(drawn, scores, classes, drawn, classes)])
    assert mean_of(perfect) == pytest.approx((1.0, 1.0), abs=0.01)
    blind = average_precision([EvaluatedImage(drawn[:0], scores[:0], classes[:0], drawn, classes)])
    assert mean_of(blind) == (0.0, 0.0)
    assert mean_of({}) is None


def test_a_box_drawn_once_is_found_once() -> None:
    drawn = np.array([[0, 0, 10, 10]], np.float32)
    image = EvaluatedImage(
        np.repeat(drawn, 2, axis=0), np.array([0.9, 0.8], np.float32), np.zeros(2, np.intp), drawn, np.zeros(1, np.intp)
    )
    assert average_precision([image])[0].at_50 == pytest.approx(1.0, abs=0.01)
    other = EvaluatedImage(drawn, image.scores[:1], np.ones(1, np.intp), drawn, np.zeros(1, np.intp))
    assert average_precision([other])[0].at_50 == 0


def test_only_the_same_boxes_agree() -> None:
    rows = [(0.0, 0.0, 100.0, 100.0, 0.9, 0), (200.0, 0.0, 300.0, 100.0, 0.6, 1)]
    reference = [found(rows)]
    same = agreement(reference, reference, EXACT, name="torch", drop=(0.0, 0.0))
    assert (same.matched, same.boxes, same.worst_iou) == (1.0, 2, 1.0)
    assert within_bounds(same, EXACT)
    for other in (
        rows[:1],
        [rows[0], (203.0, 0.0, 300.0, 100.0, 0.6, 1)],
        [rows[0], (200.0, 0.0, 300.0, 100.0, 0.61, 1)],
        [rows[0], (200.0, 0.0, 300.0, 100.0, 0.6, 2)],
    ):
        differing = agreement(reference, [found(other)], EXACT, name="torch", drop=(0.0, 0.0))
        assert not within_bounds(differing, EXACT)
    moved = agreement(reference, [found([rows[0], (203.0, 0.0, 300.0, 100.0, 0.6, 1)])], FASTER, name="f", drop=(0, 0))
    assert within_bounds(moved, FASTER)


def test_boxes_that_nobody_would_report_are_not_compared() -> None:
    reference = [found([(0.0, 0.0, 100.0, 100.0, 0.0005, 0)])]
    other = [found([(200.0, 0.0, 300.0, 100.0, 0.0006, 0)])]
    compared = agreement(reference, other, SAME, name="making", drop=(0.0, 0.0))
    assert (compared.boxes, compared.matched, compared.confidence) == (0, 1.0, MIN_CONFIDENCE)


def test_a_box_that_is_found_where_nothing_was_found_before_is_a_difference() -> None:
    reference = [found([(0.0, 0.0, 100.0, 100.0, 0.0005, 0)])]
    other = [found([(200.0, 0.0, 300.0, 100.0, 0.4, 0)])]
    compared = agreement(reference, other, SAME, name="making", drop=(0.0, 0.0))
    assert (compared.boxes, compared.matched) == (0, 0.0)
    assert not within_bounds(compared, SAME)


def test_lost_precision_is_out_of_bounds_however_well_the_boxes_agree() -> None:
    boxes = [found([(0.0, 0.0, 10.0, 10.0, 0.9, 0)])]
    assert not within_bounds(agreement(boxes, boxes, FASTER, name="fp32", drop=(0.03, 0.0)), FASTER)
    assert not within_bounds(agreement(boxes, boxes, FASTER, name="fp32", drop=(0.0, 0.03)), FASTER)


def test_the_fastest_way_that_passed_is_taken_where_the_processor_has_it() -> None:
    assert fastest(("f32",), bf16=True) == "f32"
    assert fastest(("bf16", "f32"), bf16=True) == "bf16"
    assert fastest(("bf16", "f32"), bf16=False) == "f32"
    assert fastest(("bf16",), bf16=False) == "f32"


@pytest.mark.parametrize("warnings", [[], ["finds-nothing"]])
def test_a_detector_that_finds_nothing_does_not_agree_with_another(warnings: list[str]) -> None:
    agreed = {
        "reference": "torch",
        "matched": 1.0,
        "boxes": 0,
        "worst_iou": 1.0,
        "worst_confidence": 0.0,
        "map50_drop": 0.0,
        "map50_95_drop": 0.0,
    }
    model = {"model": "a.model", "precision": "fp32", "inference": ["f32"], "parity": {"f32": agreed}}
    found = {
        "classes": {"dent": {"boxes": 3, "map50": 0.0, "map50_95": 0.0}},
        "map50": 0.0,
        "map50_95": 0.0,
        "stopped_early": False,
        "epochs": 1,
        "seconds": 5.0,
        "run": "a.training",
        "models": [model],
        "warnings": warnings,
    }
    last = result_lines(found)[-1]
    assert all(named in last for named in ("a.model", "fp32", " f32"))
    assert ("torch" in last) == (not warnings)
