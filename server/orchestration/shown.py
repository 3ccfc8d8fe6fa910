"""The picture that a pipeline shows, encoded while other steps still run."""

from __future__ import annotations

from dataclasses import dataclass

from inspection.imaging.files import encode_png
from inspection.imaging.frames import as_rgb
from inspection.imaging.picture import Picture
from inspection.pipeline.validation import ValidatedPipeline


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as PNG.

    Attributes:
        data: the file's bytes.
        width: pixels.
        height: pixels.
    """

    data: bytes
    width: int
    height: int


def shown_step(pipeline: ValidatedPipeline) -> str | None:
    """Return the id of the step whose picture a pipeline shows: the last that no step takes; None without one."""
    return next(iter(pipeline.unused_images()[-1:]), None)


def encoded(picture: Picture) -> EncodedPicture:
    """Return a picture as PNG in colour."""
    pixels = as_rgb(picture.pixels)
    return EncodedPicture(encode_png(pixels, quick=True), width=pixels.shape[1], height=pixels.shape[0])
