"""One frame through a pipeline: bytes in, JPEG and findings out."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from server.camera_stream.frames import PreparedPipeline, ProcessedImage

_NAME = "frame"
_QUALITY = 85
"""Of the JPEG that is sent: half the bytes of an archived image, no difference on a live picture."""


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """Largest frame.

    Attributes:
        max_bytes: of its file.
        max_pixels: checked before it is decoded.
    """

    max_bytes: int
    max_pixels: int


def process(data: bytes, pipeline: PreparedPipeline, limits: FrameLimits, cancel: threading.Event) -> ProcessedImage:
    """Run a pipeline on a frame.

    Args:
        data: an image file; detections are in its pixels.
        pipeline: to run.
        limits: of the frame.
        cancel: set it to stop between the steps.

    Raises:
        UnreadableImage: as ``inspection.imaging.files.decode``.
        DoesNotFit: as ``inspection.pipeline.runner.Runner.run``.
        InspectionCancelled: when ``cancel`` was set.
    """
    from inspection.imaging.decoding import decode_complete
    from inspection.imaging.files import ImageLimits, encode_jpeg, require_image
    from inspection.imaging.frames import Frame

    began = time.perf_counter()
    header = require_image(data, name=_NAME, limits=ImageLimits(limits.max_bytes, limits.max_pixels))
    image = decode_complete(data, header, name=_NAME, mode="rgb")
    frame = Frame(image.pixels, _NAME, 0, values=image.values, transparent=image.transparent)
    outcome = pipeline.runner.run(frame, cancel=cancel)
    if outcome.overlay is not None:
        jpeg = encode_jpeg(outcome.overlay, _QUALITY)
    else:
        jpeg = data if header.format == "jpeg" else encode_jpeg(image.pixels, _QUALITY)
    return ProcessedImage(
        jpeg=jpeg,
        format=header.format,
        width=frame.width,
        height=frame.height,
        result=outcome.result,
        milliseconds=(time.perf_counter() - began) * 1000,
    )
