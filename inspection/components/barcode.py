"""``barcode``: reads bar codes and matrix codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from inspection.codes.attempts import Effort
from inspection.codes.content import Charset
from inspection.codes.formats import FORMATS
from inspection.codes.reading import ReadCode, read_codes
from inspection.components.registry import Component, Parameters, Port, StepContext, picture_of
from inspection.components.values import CodeList, Kind, StepValue
from inspection.imaging.placement import from_array, hull_of
from inspection.judging.codes import required_codes_read
from inspection.judging.criteria import CodeFormat
from models.results import CodeReading


class BarcodeParameters(Parameters):
    """Parameters of ``barcode``."""

    formats: tuple[CodeFormat, ...] = Field(
        default=FORMATS, min_length=1, max_length=len(FORMATS), description="Formats to look for; fewer are faster."
    )
    effort: Effort = Field(
        default="normal",
        description="quick: the image as it is. normal: other thresholds and scales too where too little is read. "
        "thorough: also turned bars, separate dots, other contrast, large modules.",
    )
    expected: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="Number of codes after which reading ends; empty reads on until the criteria have theirs, one code "
        "without such criteria.",
    )
    any_angle: bool = Field(
        default=True, description="Whether vertical bar codes are read too; with effort thorough those at any angle."
    )
    inverted: bool = Field(
        default=True,
        description="Whether light codes on a dark ground are read too; bar codes with effort normal or thorough.",
    )
    charset: Charset = Field(
        default="auto",
        description="Character set of codes that do not declare one; auto: UTF-8, Shift JIS or Windows-1252, whichever "
        "is plausible.",
    )
    time_limit_ms: float = Field(
        default=1000.0,
        ge=10,
        le=20_000,
        description="No further attempt begins that would probably end after this many milliseconds.",
    )


def _run(parameters: BarcodeParameters, inputs: Mapping[str, StepValue], context: StepContext) -> StepValue:
    picture = picture_of(inputs)

    def readings(read: Sequence[ReadCode]) -> list[CodeReading]:
        places = [picture.placement.to_original(code.corners) for code in read]
        return [
            CodeReading(text=code.text, format=code.format, polygon=from_array(corners), step_id=context.step_id)
            for code, corners in zip(read, places, strict=True)
            if not picture.ignores(hull_of(corners))
        ]

    def enough(read: Sequence[ReadCode]) -> bool:
        if not read:
            return False
        codes = readings(read)
        if parameters.expected is not None:
            return len(codes) >= parameters.expected
        return required_codes_read(context.criteria.codes, codes, parameters.formats)

    read = read_codes(
        picture.pixels,
        formats=parameters.formats,
        effort=parameters.effort,
        enough=enough,
        any_angle=parameters.any_angle,
        inverted=parameters.inverted,
        charset=parameters.charset,
        time_limit=parameters.time_limit_ms / 1000,
        check=context.stop_if_cancelled,
    )
    return CodeList(tuple(readings(read)))


BARCODE = Component(
    name="barcode",
    title="Codes",
    description="Reads QR, Data Matrix, Aztec, PDF417, Code 128, Code 39, Code 93, ITF, EAN and UPC codes.",
    parameters=BarcodeParameters,
    inputs={"image": Port(Kind.IMAGE, description="The image to read.")},
    output=Kind.CODES,
    run=_run,
)
