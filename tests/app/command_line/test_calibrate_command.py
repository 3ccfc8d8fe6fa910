import json
import math
from pathlib import Path

import numpy as np
import pytest

from inspection.components.measure_parameters import MeasureParameters
from inspection.imaging.files import encode_png
from inspection.imaging.frames import Pixels
from inspection.imaging.opencv import cv2
from models.storage import write_atomically
from tests.support.calibration_board import BOARD, SIDE, board
from tests.support.command import run as run_command
from tests.support.messages import says


def leaning(pixels: Pixels) -> Pixels:
    """The board as a camera sees it that looks at an angle."""
    height, width = pixels.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = corners + np.array([[40, 20], [-40, 20], [0, 0], [0, 0]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    return cv2.warpPerspective(pixels, matrix, (width, height), borderValue=230).astype(np.uint8)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    return run_command(capsys, "calibrate", *arguments)


def test_the_output_of_the_command_fits_the_step_measure_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    image = tmp_path / "board.png"
    write_atomically(image, encode_png(board()))
    code, out, err = run(capsys, image, *BOARD, "--json")
    found = json.loads(out)
    assert (code, err, found["even"]) == (0, "", True)
    assert (found["source"], found["width"], found["height"]) == (str(image), 480, 400)
    assert found["mm_per_pixel"] == pytest.approx(2 / SIDE, rel=1e-3)
    assert abs(found["angle"]) < 0.1
    code, out, _ = run(capsys, image, *BOARD)
    parameters = json.loads("{" + out.splitlines()[-1].removeprefix("step measure").strip() + "}")
    assert (code, parameters) == (0, {name: found[name] for name in ("mm_per_pixel", "mm_per_pixel_y")})
    MeasureParameters.model_validate({"quantity": "area", **parameters})


def test_an_image_without_the_board_is_refused_with_what_to_count(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    image = tmp_path / "board.png"
    write_atomically(image, encode_png(board()))
    # Whoever counts the squares instead of the corners between them has one too many.
    code, out, err = run(capsys, image, "--columns", 9, "--rows", 7, "--square-mm", 2)
    assert (code, out) == (1, "")
    assert says(err, "checkerboard-not-found", columns=9, rows=7)
    assert says(err, "checkerboard-not-found", member="advice")


def test_of_several_images_the_first_that_shows_the_board_counts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "0.png").write_bytes(b"no image")
    write_atomically(tmp_path / "1.png", encode_png(np.full((90, 120), 128, np.uint8)))
    write_atomically(tmp_path / "2.png", encode_png(board()))
    code, out, _ = run(capsys, tmp_path, *BOARD, "--json")
    assert code == 0
    assert Path(json.loads(out)["source"]).name == "2.png"


def test_a_camera_that_looks_at_an_angle_is_reported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    image = tmp_path / "board.png"
    write_atomically(image, encode_png(leaning(board())))
    code, out, err = run(capsys, image, *BOARD, "--json")
    found = json.loads(out)
    assert (code, found["even"]) == (0, False)
    assert found["residual_px"] > 0.5
    assert f"{found['residual_px']:.2f} px" in err


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_board_laid_the_other_way_round_gives_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, turn: int
) -> None:
    image = tmp_path / "board.png"
    write_atomically(image, encode_png(np.ascontiguousarray(np.rot90(board(), turn))))
    found = json.loads(run(capsys, image, *BOARD, "--json")[1])
    assert abs(found["angle"]) < 0.1
    assert found["mm_per_pixel"] == pytest.approx(2 / SIDE, rel=1e-3)


@pytest.mark.parametrize(
    ("wrong", "reported"),
    [
        (("--columns", 2, "--rows", 6, "--square-mm", 2), "--columns"),
        (("--columns", 8, "--rows", 6, "--square-mm", 0), "--square-mm"),
        (("--columns", 8, "--rows", 6, "--square-mm", math.nan), "--square-mm"),
        (("--columns", 8, "--rows", 6), "--square-mm"),
    ],
)
def test_numbers_no_board_has_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wrong: tuple[object, ...], reported: str
) -> None:
    code, _, err = run(capsys, tmp_path / "board.png", *wrong)
    assert code == 2
    assert reported in err
