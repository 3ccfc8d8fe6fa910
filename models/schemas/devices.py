"""Stations on the wire: enrolment and the settings the server hands to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.schemas.common import Moment, Reply, Request, Text
from models.states import DeviceStatus

_Threshold = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DeviceRegister(Request):
    """A station enrols with the one-time code of an administrator."""

    code: str = Field(min_length=1, max_length=64, json_schema_extra={"format": "password"})
    name: Text = Field(default="", max_length=200, description="Empty: the name the administrator gave.")


class DeviceRegistered(Reply):
    """The station's id and credential; the credential is shown this once."""

    device_id: str
    credential: str


class DeviceReply(Reply):
    """A station."""

    id: str
    name: str
    status: DeviceStatus
    enrolled_at: Moment
    last_seen_at: Moment | None


class DeviceUpdate(Request):
    """Changes to a station; what is left out stays."""

    name: Text | None = Field(default=None, min_length=1, max_length=200)
    status: DeviceStatus | None = None


class EnrolmentCodeCreate(Request):
    """A code for one new station."""

    device_name: Text = Field(min_length=1, max_length=200)


class EnrolmentCodeCreated(Reply):
    """The code, shown this once."""

    id: str
    code: str
    device_name: str
    expires_at: Moment


class StationSettings(Request):
    """What the server may set on stations; what is left out is the station's own choice."""

    sync_interval_s: float | None = Field(default=None, ge=1, le=86_400, description="Seconds between two passes.")
    retention_days: int | None = Field(default=None, ge=1, le=36_500, description="Days images stay on a station.")
    offline_sign_in_days: int | None = Field(default=None, ge=0, le=365, description="Days without the server.")
    language: Literal["ja", "en"] | None = Field(default=None, description="Language of the window.")
    thresholds: dict[str, _Threshold] | None = Field(default=None, description="Item id → anomaly threshold.")
    threshold_models: dict[str, _Digest] | None = Field(
        default=None,
        description="Item id → SHA-256 of the model file its threshold was chosen for: with another model it does not "
        "count. An item that is not named here has its threshold with every model.",
    )


class StationConfigUpdate(Request):
    """Settings for one station, or for all when no station is named."""

    device_id: Text | None = Field(default=None, min_length=1, max_length=64)
    settings: StationSettings


class StationConfigReply(Reply):
    """Settings that hold for a station: its own over those for all."""

    device_id: str | None
    settings: StationSettings
