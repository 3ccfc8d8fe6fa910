"""Quality bounds that a frame must keep to be inspected, and their file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inspection.judging.validation_errors import not_in_order
from models.errors import InvalidInput, NotFound
from models.rejections import first_problem, not_json
from models.storage import reason_of, write_atomically

_USUAL = "usual"


class QualityBounds(BaseModel):
    """Bounds on the measures of ``ImageQuality``; None, the default, sets no bound.

    Attributes:
        max_blur_px: widest blur of the edges, pixels.
        max_smear: largest ratio of the strength of detail in one direction to that across it.
        min_mean: least mean brightness, 0 to 255.
        max_mean: largest mean brightness, 0 to 255.
        min_contrast: least standard deviation of the brightness.
        max_dark_share: largest share of black pixels, 0 to 1.
        max_bright_share: largest share of saturated pixels, 0 to 1.
        max_moving_share: largest share of the image that may have changed since the previous frame, 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_blur_px: float | None = Field(default=None, gt=0, le=100)
    max_smear: float | None = Field(default=None, ge=1, le=100)
    min_mean: float | None = Field(default=None, ge=0, le=255)
    max_mean: float | None = Field(default=None, ge=0, le=255)
    min_contrast: float | None = Field(default=None, ge=0, le=255)
    max_dark_share: float | None = Field(default=None, ge=0, le=1)
    max_bright_share: float | None = Field(default=None, ge=0, le=1)
    max_moving_share: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_mean is not None and self.max_mean is not None and self.min_mean >= self.max_mean:
            raise not_in_order("min_mean", "max_mean")
        return self

    @classmethod
    def usual(cls) -> Self:
        """Return bounds that a usable image of almost any part keeps, and a covered or unfocused camera violates.

        The smear has no bound, because it depends on the part.
        """
        return cls(
            max_blur_px=4.0,
            min_mean=15.0,
            max_mean=240.0,
            min_contrast=4.0,
            max_dark_share=0.9,
            max_bright_share=0.5,
            max_moving_share=0.3,
        )


def read_bounds(given: str) -> QualityBounds:
    """Return the bounds of a file, or the usual ones for ``usual``.

    Raises:
        NotFound: ``file-missing``.
        InvalidInput: ``quality-bounds-file`` when it does not hold bounds.
    """
    if given == _USUAL:
        return QualityBounds.usual()
    path = Path(given)
    try:
        return QualityBounds.model_validate(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise NotFound("file-missing", file=given) from error
    except OSError as error:
        raise InvalidInput("quality-bounds-file", file=given, reason=reason_of(error)) from error
    except ValidationError as error:
        raise InvalidInput("quality-bounds-file", file=given, reason=first_problem(error).text) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("quality-bounds-file", file=given, reason=not_json(error)) from error


def write_bounds(path: Path, bounds: QualityBounds) -> None:
    """Write bounds to a file that ``read_bounds`` reads.

    Raises:
        Unavailable: ``file-disk-full`` or ``file-not-written``.
    """
    write_atomically(path, (bounds.model_dump_json(indent=2, exclude_none=True) + "\n").encode())
