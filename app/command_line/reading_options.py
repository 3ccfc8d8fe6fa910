"""Options for what image files leave open: the range of deep values, and files of several pages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from inspection.imaging.reading import Reading
    from inspection.imaging.set_range import SetRange

# The bounds of a depth, which are imported only when there is an image to read.
_SMALLEST_DEPTH, _LARGEST_DEPTH = 8, 32

BitDepthOption = Annotated[
    int | None,
    typer.Option(
        "--bit-depth",
        min=_SMALLEST_DEPTH,
        max=_LARGEST_DEPTH,
        help="Bits that images deeper than 8 bits use, as 12 for a Mono12 camera saved as 16-bit PNG.",
        show_default=False,
    ),
]
RangeOption = Annotated[
    str | None,
    typer.Option(
        "--range",
        help="Values that are black and white in images deeper than 8 bits, as 0:1 or -2.5:4 for height maps.",
        metavar="LOW:HIGH",
    ),
]
PagesOption = Annotated[
    Literal["refuse", "first"],
    typer.Option("--pages", help="Files of several pages or frames: refuse them, or take the first page."),
]


def chosen_reading(bit_depth: int | None, value_range: str | None, pages: Literal["refuse", "first"]) -> Reading:
    """Return how images are read.

    Raises:
        typer.BadParameter: when the range is none, or contradicts the bit depth.
    """
    from inspection.imaging.reading import Reading
    from inspection.imaging.value_range import ValueRange, parse_range

    given = None if bit_depth is None else ValueRange.of_bits(bit_depth)
    if value_range is not None:
        try:
            found = parse_range(value_range)
        except ValueError as error:
            raise typer.BadParameter("is LOW:HIGH, two numbers, the second larger", param_hint="--range") from error
        if given is not None and found != given:
            raise typer.BadParameter(f"{given} is that of --bit-depth {bit_depth}; give one", param_hint="--range")
        given = found
    return Reading(given, pages)


def require_files(reading: Reading, spec: str) -> None:
    """Refuse options that would have no effect: frames of a camera or a video have 8 bits, and no pages.

    Args:
        reading: as it was chosen.
        spec: of the source.

    Raises:
        typer.BadParameter: when options were given for a source that is neither image files nor a watched folder.
    """
    from inspection.imaging.reading import AS_DECLARED
    from inspection.sources import is_stream, is_watched

    if reading == AS_DECLARED or not is_stream(spec) or is_watched(spec):
        return
    hint = "--pages" if reading.values is None else "--bit-depth or --range"
    raise typer.BadParameter("goes with image files; frames of a camera or a video have 8 bits", param_hint=hint)


def report_set_range(found: SetRange | None, given: Reading) -> None:
    """Report on stderr which range the deep images of a set were read with, unless it was given and used."""
    from app.command_line import warn

    if found is None and given.values is not None:
        warn("depth-not-used", range=str(given.values))
    if found is None or found.values is None or given.values is not None:
        return
    values = found.values
    bits = values.bits or math.ceil(math.log2(values.high - values.low + 1))
    if found.largest is None:
        warn("depth-declared", count=found.images, range=str(values))
    else:
        warn("depth-found", count=found.images, range=str(values), bits=bits, largest=found.largest)


def report_transparent(count: int) -> None:
    """Report on stderr how many images have transparent parts, which were seen on white."""
    from app.command_line import warn

    if count:
        warn("images-transparent", count=count)
