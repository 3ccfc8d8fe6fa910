"""The network input of an image for a given model."""

from __future__ import annotations

from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.preparation import WORKING_SIDE, NetworkInput, prepare, working_size
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture
from inspection.imaging.resizing import resize_picture


def prepare_for(
    preprocessing: Preprocessing, pixels: Pixels, scale_x: float = 1.0, scale_y: float = 1.0
) -> NetworkInput:
    """Return the network input of an image, uint8 RGB ``(H, W, 3)`` or grey ``(H, W)``.

    Args:
        preprocessing: of the model.
        pixels: the image.
        scale_x: columns of ``pixels`` per column of the original image, when an earlier step resized it.
        scale_y: the same for rows.

    Raises:
        DoesNotFit: ``image-scale``.
    """
    return prepare(
        pixels,
        preprocessing.scale,
        scale_x,
        scale_y,
        preprocessing.smoothing,
        side=preprocessing.side,
        shrinks_first=preprocessing.tile == 0,
    )


def prepare_picture(picture: Picture, preprocessing: Preprocessing) -> NetworkInput:
    """Return the network input of a picture from a pipeline; raises as ``prepare_for``."""
    return prepare_for(preprocessing, picture.pixels, *picture.resized)


def shrunk_for(picture: Picture, preprocessing: Preprocessing) -> Picture:
    """Return a picture shrunk to the size that its network input is made from; a side that is shorter is kept.

    The network input then enlarges it, for a model of tiles whose side is larger than the image.
    A picture that is then turned or drawn on takes little memory and time, however many pixels the camera has.

    Args:
        picture: from a pipeline.
        preprocessing: of the model.
    """
    if preprocessing.tile == 0:
        return resize_picture(picture, WORKING_SIDE, WORKING_SIDE)
    across, down = picture.resized
    rows, columns = picture.pixels.shape[:2]
    height, width = working_size(rows / down, columns / across, preprocessing.scale)
    return resize_picture(picture, width, height, "stretch")
