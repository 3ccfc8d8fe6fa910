"""The settings that the server hands to stations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.numbers import AS_WHOLE
from models.pipelines import StationConfig
from sync.shared.schemas import Real, Request

_Retention = Annotated[StrictInt, Field(ge=1, le=36_500), AS_WHOLE]
_OfflineDays = Annotated[StrictInt, Field(ge=0, le=365), AS_WHOLE]
_Threshold = Annotated[Real, Field(gt=0)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StationSettings(Request):
    """What the server may set on stations; what is left out is the station's own choice."""

    sync_interval_s: Real | None = Field(default=None, ge=1, le=86_400, description="Seconds between two passes.")
    retention_days: _Retention | None = Field(default=None, description="Days images stay on a station.")
    retention_keep_ng: StrictBool | None = Field(
        default=None, description="Whether images of NG parts stay on a station whatever their age."
    )
    offline_sign_in_days: _OfflineDays | None = Field(default=None, description="Days without the server.")
    language: Literal["ja", "en"] | None = Field(default=None, description="Language of the window.")
    thresholds: dict[str, _Threshold] | None = Field(default=None, description="Item id → anomaly threshold.")
    threshold_models: dict[str, _Digest] | None = Field(
        default=None,
        description="Item id → SHA-256 of the model file its threshold was chosen for: with another model it does not "
        "count. An item that is not named here has its threshold with every model.",
    )


def known_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that this version knows; a newer one may have further ones."""
    return {name: value for name, value in settings.items() if name in StationSettings.model_fields}


def config_of(session: Session, device_id: str | None) -> StationConfig | None:
    """Return the record of the settings for one station alone, or for all when ``device_id`` is None."""
    # `== None` becomes IS NULL.
    query = select(StationConfig).where(StationConfig.device_id == device_id, StationConfig.deleted_at.is_(None))
    return session.scalars(query.order_by(StationConfig.id)).first()


def settings_for(session: Session, device_id: str | None) -> dict[str, Any]:
    """Return the settings that apply to a station: those for all, and its own over them.

    The models that thresholds were chosen for belong to the thresholds: both come from the same record.
    """
    settings: dict[str, Any] = {}
    for owner in dict.fromkeys((None, device_id)):
        config = config_of(session, owner)
        own = {} if config is None else {name: value for name, value in config.settings.items() if value is not None}
        if "thresholds" in own:
            settings.pop("threshold_models", None)
        settings.update(own)
    return settings
