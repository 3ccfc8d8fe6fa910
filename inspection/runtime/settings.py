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
    """What may differ from one machine to the next.

    Attributes:
        backbones: folder of the converted backbone networks (``IMAGEFLOW_BACKBONES``).
        threads: processor threads one model uses (``IMAGEFLOW_THREADS``); 0 takes the default of
            ``inference_threads``.
    """

    model_config = SettingsConfigDict(env_prefix="IMAGEFLOW_", extra="ignore")

    backbones: Path = Field(default_factory=_default_backbones)
    threads: int = Field(default=0, ge=0, le=256)


def inspection_settings() -> InspectionSettings:
    """Return the settings of this process.

    Raises:
        InvalidInput: ``settings-invalid`` naming the variable and what is wrong with it.
    """
    try:
        return InspectionSettings()
    except ValidationError as error:
        setting, reason = first_problem(error)
        variable = f"IMAGEFLOW_{setting.upper()}"
        raise InvalidInput("settings-invalid", file=variable, setting=setting, reason=reason) from error


def inference_threads(wanted: int | None = None) -> int:
    """Return the number of threads a model shall use.

    Two by default, fewer on a smaller machine: the window, the camera and the store need processors too, and a
    fixed number keeps scores the same from one machine of a kind to the next.

    Raises:
        InvalidInput: ``settings-invalid`` when ``IMAGEFLOW_THREADS`` is no number of threads.
    """
    configured = inspection_settings().threads if wanted is None else wanted
    return configured if configured > 0 else min(2, os.cpu_count() or 1)
