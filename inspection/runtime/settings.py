"""Settings of the inspection engine, read from the environment (``IMAGEFLOW_...``)."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.errors import InvalidInput
from models.rejections import first_problem


def _default_backbones() -> Path:
    return Path(__file__).resolve().parents[2] / "resources" / "backbones"


class InspectionSettings(BaseSettings):
    """Settings that may differ between machines.

    Attributes:
        backbones: folder of the converted backbone networks (``IMAGEFLOW_BACKBONES``).
        threads: number of CPU threads per model (``IMAGEFLOW_THREADS``); 0 takes the default of ``inference_threads``.
    """

    model_config = SettingsConfigDict(env_prefix="IMAGEFLOW_", extra="ignore")

    backbones: Path = Field(default_factory=_default_backbones)
    threads: int = Field(
        default=0, ge=0, le=256, description="Processor threads of one model; 0 chooses by the processor."
    )


def inspection_settings() -> InspectionSettings:
    """Return the settings of this process.

    Raises:
        InvalidInput: ``settings-invalid`` with the variable and the reason.
    """
    try:
        return InspectionSettings()
    except ValidationError as error:
        setting, reason = first_problem(error)
        variable = f"IMAGEFLOW_{setting.upper()}"
        raise InvalidInput("settings-invalid", file=variable, setting=setting, reason=reason) from error


def inference_threads(wanted: int | None = None) -> int:
    """Return the number of CPU threads of a model.

    Two by default, fewer on a smaller machine: the window, the camera and the database need CPU time too, and a fixed
    number keeps scores reproducible across machines of a kind.

    Raises:
        InvalidInput: ``settings-invalid`` when ``IMAGEFLOW_THREADS`` is invalid.
    """
    configured = inspection_settings().threads if wanted is None else wanted
    return configured if configured > 0 else min(2, os.cpu_count() or 1)
