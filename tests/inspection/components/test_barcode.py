import threading
from pathlib import Path

import numpy as np
import pytest

from app.benchmarks.inspection.codes import measure
from inspection.codes.attempts import attempts_of
from inspection.codes.reading import read_codes
from inspection.components import component
from inspection.components.barcode import BarcodeParameters
from inspection.components.registry import InspectionCancelled, StepContext
from inspection.components.values import CodeList
from inspection.imaging.opencv import cv2
from inspection.imaging.picture import Picture
from inspection.imaging.resizing import resize_picture
from inspection.judging.judgement import Criteria
from models.errors import NotFound
from models.results import CodeReading
from tests.support.codes import NAMES, TEXTS, draw_code


def no_model(name: str) -> object:
    raise NotFound("model-missing", file=name)


def run(picture: Picture, cancel: threading.Event | None = None, **parameters: object) -> tuple[CodeReading, ...]:
    context = StepContext(Criteria(), no_model, "read", cancel)  # type: ignore[arg-type]  # never gives one
    found = component("barcode").run(BarcodeParameters.model_validate(parameters), {"image": picture}, context)
    assert isinstance(found, CodeList)
    return found.codes


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize("light_on_dark", [False, True])
def test_a_clean_code_of_each_format_is_read_upright_turned_or_inverted(
    name: str, turns: int, light_on_dark: bool
) -> None:
    pixels = np.rot90(draw_code(name), turns)
    (code,) = run(Picture.original(np.ascontiguousarray(255 - pixels if light_on_dark else pixels)))
    assert (code.text, code.format, code.step_id) == (TEXTS.get(name, "LOT-0815"), name, "read")


def test_only_the_formats_asked_for_are_read() -> None:
    assert run(Picture.original(draw_code("qr")), formats=("code-128", "ean-13")) == ()


def test_several_codes_come_from_top_to_bottom_with_their_places_on_the_original() -> None:
    canvas = np.full((900, 700), 255, np.uint8)
    for name, (top, left) in (("data-matrix", (600, 400)), ("qr", (60, 300)), ("code-128", (350, 20))):
        code = draw_code(name)
        canvas[top : top + code.shape[0], left : left + code.shape[1]] = code
    small = resize_picture(Picture.original(canvas), 500, 700)
    codes = run(small, expected=3)
    assert [code.format for code in codes] == ["qr", "code-128", "data-matrix"]
    for code, (top, left) in zip(codes, ((60, 300), (350, 20), (600, 400)), strict=True):
        xs, ys = [point.x for point in code.polygon], [point.y for point in code.polygon]
        dark = np.argwhere(canvas[top : top + 230, left : left + 330] < 128)
        assert abs(min(xs) - left - dark[:, 1].min()) < 6
        assert abs(min(ys) - top - dark[:, 0].min()) < 6
    everything = np.zeros(canvas.shape, np.bool_)
    everything[:300] = True
    assert [code.format for code in run(small.ignoring(everything), expected=3)] == ["code-128", "data-matrix"]


def test_a_code_that_the_first_try_misses_is_read_by_a_later_one(data: Path) -> None:
    hard = cv2.imread(str(data / "codes" / "ean13-1" / "34.webp"), cv2.IMREAD_GRAYSCALE)
    assert read_codes(hard, effort="quick") == []
    assert [code.text for code in read_codes(hard, effort="normal")] == ["9781558604971"]


def test_no_further_try_begins_after_the_time_limit_or_a_cancellation() -> None:
    nothing = np.random.default_rng(0).integers(0, 256, (300, 300)).astype(np.uint8)
    tries: list[int] = []
    read_codes(nothing, effort="thorough", time_limit=0.0, check=lambda: tries.append(1))
    assert len(tries) == 1
    read_codes(nothing, effort="thorough", time_limit=60.0, check=lambda: tries.append(1))
    assert len(tries) == 1 + sum(attempt.size(nothing) > 0 for attempt in attempts_of("thorough"))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(InspectionCancelled):
        run(Picture.original(nothing), cancel)


def test_bytes_that_are_no_text_are_kept_one_for_one(data: Path) -> None:
    place = data / "codes" / "datamatrix-3"
    (code,) = read_codes(cv2.imread(str(place / "dm-c.jpg"), cv2.IMREAD_GRAYSCALE))
    assert code.text.encode("latin-1") == (place / "dm-c.bin").read_bytes()


def test_of_the_real_photographs_nearly_all_are_read(data: Path) -> None:
    figures = {figure.name: figure for figure in measure(data / "codes")}
    assert (figures["codes_read_rate"].value or 0) >= 0.99
    for name in ("code128", "datamatrix", "qrcode"):
        assert figures[f"codes_read_rate_{name}"].value == 1.0


def two_codes() -> Picture:
    """A label with a sharp QR code, and below it a Code 128 in white on black that only a later attempt reads."""
    canvas = np.full((560, 700), 255, np.uint8)
    first, second = draw_code("qr", 5, content="SERIAL-0007"), 255 - draw_code("code-128", 2, content="LOT-4711")
    canvas[20 : 20 + first.shape[0], 20 : 20 + first.shape[1]] = first
    canvas[380:] = 0
    canvas[400 : 400 + second.shape[0], 60 : 60 + second.shape[1]] = second
    return Picture.original(canvas)


def read_by(criteria: Criteria, picture: Picture, **parameters: object) -> list[str]:
    context = StepContext(criteria, no_model, "read")  # type: ignore[arg-type]  # never gives one
    found = component("barcode").run(BarcodeParameters.model_validate(parameters), {"image": picture}, context)
    assert isinstance(found, CodeList)
    return [code.text for code in found.codes]


BOTH = Criteria.model_validate(
    {"codes": {"serial": {"formats": ["qr"]}, "lot": {"formats": ["code-128"], "pattern": "LOT-####"}}}
)


def test_reading_goes_on_until_the_criteria_have_their_codes() -> None:
    assert read_by(Criteria(), two_codes()) == ["SERIAL-0007"]
    assert read_by(BOTH, two_codes()) == ["SERIAL-0007", "LOT-4711"]


def test_a_given_number_of_codes_ends_the_reading_before_the_criteria() -> None:
    assert read_by(BOTH, two_codes(), expected=1) == ["SERIAL-0007"]


def test_codes_that_the_step_does_not_look_for_are_not_waited_for() -> None:
    tries: list[int] = []
    picture = two_codes()
    context = StepContext(BOTH, no_model, "read", _Counting(tries))  # type: ignore[arg-type]  # counts the attempts
    component("barcode").run(BarcodeParameters(formats=("qr",), effort="thorough"), {"image": picture}, context)
    assert len(tries) == 1


class _Counting:
    """A cancellation that never comes and counts how often it is asked for."""

    def __init__(self, asked: list[int]) -> None:
        self._asked = asked

    def is_set(self) -> bool:
        self._asked.append(1)
        return False
