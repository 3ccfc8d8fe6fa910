"""Whether images have the one size a method needs that compares place by place."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from inspection.anomaly.manifest import Preprocessing
from inspection.anomaly.preparation import Prepared, working_size
from models.errors import DoesNotFit

if TYPE_CHECKING:
    from inspection.anomaly.training.training_set import Material


def require_one_size(material: Material, scale: float) -> None:
    """Check that all images of a training have the same size, in whole pixels of the network.

    They are not squeezed to one: parts of different sizes do not show the same in the same place then either, and a
    model that learnt so would score by chance.

    Args:
        material: the images.
        scale: network pixels per original pixel.

    Raises:
        DoesNotFit: ``images-not-aligned`` naming the commonest size and one image that has another.
    """
    (height, width), _ = Counter(material.sizes).most_common(1)[0]
    wanted = working_size(height, width, scale)
    others = [index for index, size in enumerate(material.sizes) if working_size(*size, scale) != wanted]
    if others:
        name = material.files[others[0]][0].name
        raise DoesNotFit(
            "images-not-aligned", count=len(others), total=len(material.sizes), width=width, height=height, name=name
        )


def require_aligned(preprocessing: Preprocessing, prepared: Prepared, height: float, width: float) -> None:
    """Check that an image has the size of the training images, where the model takes no other.

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
