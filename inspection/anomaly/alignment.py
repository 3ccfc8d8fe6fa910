"""The image size check of methods that compare images position by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.preparation import NetworkInput, working_size
from models.errors import DoesNotFit

if TYPE_CHECKING:
    pass


def require_aligned(preprocessing: Preprocessing, prepared: NetworkInput, height: float, width: float) -> None:
    """Check that an image has the size of the training images, if the model requires it.

    Args:
        preprocessing: of the model.
        prepared: the image.
        height: rows of the original image.
        width: its columns.

    Raises:
        DoesNotFit: ``image-not-aligned``.
    """
    if not preprocessing.aligned:
        return
    expected = (preprocessing.median_height, preprocessing.median_width)
    if (prepared.height, prepared.width) != working_size(*expected, preprocessing.scale):
        raise DoesNotFit(
            "image-not-aligned",
            width=round(width),
            height=round(height),
            expected_width=expected[1],
            expected_height=expected[0],
        )
