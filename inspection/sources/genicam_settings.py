"""Settings of a GenICam camera, and their form in the name of a source."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import InvalidInput
from models.messages import LocalText
from models.rejections import first_problem

GENICAM_PREFIXES = ("genicam:", "gige:")


class GenicamSettings(BaseModel):
    """Settings written to a camera at each connection; None leaves the camera's own value.

    Attributes:
        exposure_us: exposure time, microseconds.
        gain: in the camera's own unit, usually decibels.
        rate: frames per second in free run.
        format: pixel format by its PFNC name, such as ``Mono8`` or ``BayerRG8``.
        trigger: ``off`` for free run, ``software`` for a frame at each request, ``software-if-possible`` for free run
            where the camera has no software trigger, or the name of the input that triggers a frame, such as ``Line0``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    exposure_us: float | None = Field(default=None, gt=0, le=60_000_000)
    gain: float | None = Field(default=None, ge=-100, le=1000)
    rate: float | None = Field(default=None, gt=0, le=100_000)
    format: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]{1,40}$")
    trigger: Literal["off", "software", "software-if-possible"] | str = Field(
        default="off", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,40}$"
    )

    @property
    def hardware_trigger(self) -> bool:
        """Whether an input of the camera triggers its frames."""
        return self.trigger not in {"off", "software", "software-if-possible"}

    @classmethod
    def parse(cls, text: str, *, camera: str) -> Self:
        """Read ``exposure_us=5000&gain=2``.

        Raises:
            InvalidInput: ``genicam-option`` with the invalid one.
        """
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
            return cls.model_validate(dict(pairs))
        except ValidationError as error:
            setting, reason = first_problem(error)
            raise InvalidInput("genicam-option", camera=camera, setting=setting, reason=reason) from error
        except ValueError as error:
            reason = LocalText.of("genicam-option-form", {})
            raise InvalidInput("genicam-option", camera=camera, setting=text, reason=reason) from error


def parse_genicam(spec: str) -> tuple[str, GenicamSettings] | None:
    """Return address and settings of ``genicam:ADDRESS[?SETTING=VALUE&…]``, or None when ``spec`` is none of these.

    Raises:
        InvalidInput: ``genicam-option``, or ``source-unknown`` without an address.
    """
    prefix = next((known for known in GENICAM_PREFIXES if spec.lower().startswith(known)), None)
    if prefix is None:
        return None
    address, _, options = spec[len(prefix) :].partition("?")
    if not address.strip():
        raise InvalidInput("source-unknown", source=spec)
    return address.strip(), GenicamSettings.parse(options, camera=address.strip())
