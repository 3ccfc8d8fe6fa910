"""``barcode``: reads bar codes and matrix codes."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from inspection.codes.reading import FORMATS, Effort, read_codes
from inspection.components.registry import Component, Parameters, Port, StepContext, picture_of
from inspection.components.values import CodeList, Kind, StepValue
from inspection.imaging.placement import from_array, hull_of
from inspection.judging.criteria import CodeFormat
from models.results import CodeReading


class BarcodeParameters(Parameters):
    """Parameters of ``barcode``."""

    formats: tuple[CodeFormat, ...] = Field(
        default=FORMATS, min_length=1, max_length=len(FORMATS), description="Formats to look for; fewer are faster."
    )
    effort: Effort = Field(
        default="normal",
        description="quick: the image as it is. normal: other thresholds and scales too where nothing is read. "
        "thorough: also denoised, with equalised contrast and with local thresholds.",
    )
    expected: int = Field(
        default=1, ge=1, le=100, description="Expected number of codes; further attempts are made until they are read."
    )
    any_angle: bool = Field(default=True, description="Whether vertical bar codes are read too.")
    inverted: bool = Field(
        default=True,
        description="Whether light codes on a dark ground are read too; bar codes with effort normal or thorough.",
    )
    time_limit_ms: float = Field(
        default=1000.0, ge=10, le=20_000, description="No further attempt begins after this many milliseconds."
    )


def _run(parameters: BarcodeParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)
    read = read_codes(
        picture.pixels,
        formats=parameters.formats,
        effort=parameters.effort,
        expected=parameters.expected,
        any_angle=parameters.any_angle,
        inverted=parameters.inverted,
        time_limit=parameters.time_limit_ms / 1000,
        check=context.stop_if_cancelled,
    )
    codes = []
    for code in read:
        corners = picture.placement.to_original(code.corners)
        if not picture.ignores(hull_of(corners)):
            codes.append(
                CodeReading(text=code.text, format=code.format, polygon=from_array(corners), step_id=context.step_id)
            )
    return CodeList(tuple(codes))


BARCODE = Component(
    name="barcode",
    title="Codes",
    description="Reads QR, Micro QR, Data Matrix, Code 128 and EAN codes.",
    parameters=BarcodeParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to read.")},
    output=Kind.CODES,
    run=_run,
)
