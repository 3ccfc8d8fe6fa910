"""``imageflow calibrate``: millimetres per pixel from an image of a checkerboard."""

from __future__ import annotations

import json
import math
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.command_line.acquisition import AcquisitionOptions, WaitOption, triggered_source
from app.command_line.options import JsonOption, progress_bar
from app.command_line.reading_options import BitDepthOption, PagesOption, RangeOption, chosen_reading, require_files
from app.command_line.tables import labelled_lines
from app.command_line.wording import phrase

if TYPE_CHECKING:
    from inspection.imaging.frames import Frame
    from inspection.measuring.calibration import BoardCalibration

# The least is that of the calibration, which is imported only when there is an image to look at.
_LEAST_CORNERS, _MOST_CORNERS = 3, 100
_LONGEST_SQUARE = 1000.0
_FRAMES = 20
_DIGITS = 6


def _square(value: float) -> float:
    if not (math.isfinite(value) and 0 < value <= _LONGEST_SQUARE):
        raise typer.BadParameter(f"is larger than 0 and {_LONGEST_SQUARE:g} at most")
    return value


def calibrate_command(
    image: Annotated[
        str,
        typer.Argument(
            help="Image of the board, or a source: a folder, usb:0, rtsp://…, genicam:ADDRESS.", metavar="IMAGE|SOURCE"
        ),
    ],
    columns: Annotated[
        int,
        typer.Option(
            "--columns", min=_LEAST_CORNERS, max=_MOST_CORNERS, help="Inner corners in a row: squares less one."
        ),
    ],
    rows: Annotated[
        int,
        typer.Option(
            "--rows", min=_LEAST_CORNERS, max=_MOST_CORNERS, help="Inner corners in a column: squares less one."
        ),
    ],
    square_mm: Annotated[float, typer.Option("--square-mm", help="Side of a square in millimetres.", callback=_square)],
    wait: WaitOption = None,
    bit_depth: BitDepthOption = None,
    value_range: RangeOption = None,
    pages: PagesOption = "refuse",
    as_json: JsonOption = False,
) -> None:
    """Measure how many millimetres a pixel is, from an image of a checkerboard that lies where the parts will lie.

    What comes out goes into the parameters of the step measure of a pipeline. It holds for this camera, lens, distance
    and image size; measured pixels are those of the original image, so a step that resizes changes nothing. Of a source
    the first of 20 images counts that shows the board.

    \b
    Examples:
      imageflow calibrate board.png --columns 9 --rows 6 --square-mm 5
      imageflow calibrate usb:0 --columns 9 --rows 6 --square-mm 5 --json
    """  # noqa: D301 - \b keeps the lines as they are
    reading = chosen_reading(bit_depth, value_range, pages)
    require_files(reading, image)
    options = AcquisitionOptions(image, _FRAMES, wait=wait, reading=reading)
    with progress_bar(phrase("calibrating")):
        frame, board = _seen_board(options, columns, rows, square_mm)
    found = _summary(frame, board)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(_lines(found)))
    if not board.even:
        from app.command_line import warn

        warn("checkerboard-uneven", residual=f"{board.residual_px:.2f}")


def _seen_board(
    options: AcquisitionOptions, columns: int, rows: int, square_mm: float
) -> tuple[Frame, BoardCalibration]:
    """Return the first frame that shows the board, and its calibration.

    Raises:
        UserFacingError: ``checkerboard-not-found`` when none does; as the source.
    """
    from inspection.measuring.calibration import from_checkerboard
    from inspection.runs.frame_loop import read_frames
    from models.errors import DoesNotFit, Unavailable, UnreadableImage, UserFacingError

    missed: UserFacingError | None = None
    with triggered_source(options) as source:
        for item in islice(read_frames(source, wait=options.wait), options.frames):
            if isinstance(item, UnreadableImage):
                missed = item
                continue
            try:
                return item, from_checkerboard(item.pixels, columns, rows, square_mm)
            except DoesNotFit as error:
                missed = error
        raise missed or Unavailable("source-lost", source=source.describe())


def _summary(frame: Frame, board: BoardCalibration) -> dict[str, Any]:
    return {
        "source": str(frame.path or frame.source_id),
        "width": frame.width,
        "height": frame.height,
        "mm_per_pixel": _rounded(board.x),
        "mm_per_pixel_y": _rounded(board.y),
        "angle": round(board.angle, 3),
        "residual_mm": _rounded(board.residual),
        "residual_px": round(board.residual_px, 4),
        "even": board.even,
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _lines(found: dict[str, Any]) -> list[str]:
    parameters = {name: found[name] for name in ("mm_per_pixel", "mm_per_pixel_y")}
    scale = {"x": f"{found['mm_per_pixel']:g}", "y": f"{found['mm_per_pixel_y']:g}"}
    image = {name: found[name] for name in ("source", "width", "height")}
    board = {"angle": f"{found['angle']:.2f}", "residual": f"{found['residual_px']:.3f}"}
    return labelled_lines(
        [
            *(
                (phrase(f"calibrated-{name}"), phrase(f"calibrated-{name}-value", **values))
                for name, values in (("scale", scale), ("image", image), ("board", board))
            ),
            (phrase("calibrated-step"), json.dumps(parameters)[1:-1]),
        ]
    )
