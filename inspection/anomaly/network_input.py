"""The network input of an image for a given model."""

from __future__ import annotations

from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.preparation import NetworkInput, prepare
from inspection.imaging.frames import Pixels
from inspection.imaging.picture import Picture


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
