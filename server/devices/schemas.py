"""Stations on the wire: enrolment and the settings the server hands to them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from models.numbers import Whole
from models.states import DeviceStatus, StoreState
from sync.shared.schemas import (
    LEFT_OUT,
    Changes,
    DeviceName,
    GivenMoment,
    Id,
    Moment,
    Name,
    RecordId,
    Reply,
    Request,
    read_only,
)
from sync.shared.station_config import StationSettings


class DeviceReply(Reply):
    """A station."""

    unversioned: ClassVar[frozenset[str]] = frozenset({"last_seen_at"})

    id: Id
    name: str
    status: DeviceStatus
    enrolled_at: Moment
    last_seen_at: Moment | None = Field(
        description="When it last signed in or began a pass, to the minute; no part of the ETag."
    )


class DeviceUpdate(Changes):
    """Changes to a station; what is left out stays."""

    name: Name = LEFT_OUT
    status: DeviceStatus = Field(default=LEFT_OUT)
    id: RecordId = read_only()
    enrolled_at: GivenMoment = read_only()
    last_seen_at: GivenMoment | None = read_only("Moves by itself.")


class DeviceStoreReply(Reply):
    """A store that has given itself out as a station."""

    id: Id
    device_id: Id
    parent_id: Id | None = Field(description="The store that it was a copy of; null when it does not know.")
    state: StoreState
    first_seen_at: Moment
    last_seen_at: Moment = Field(description="When it last began a pass, to the minute, or was refused.")
    decided_by: str = Field(description="Who chose it, or another one in its place; empty when nobody had to.")


class DeviceStoreChoice(Request):
    """Which store is the station's own."""

    store_id: RecordId


class EnrolmentCodeCreate(Request):
    """A code for one new station."""

    device_name: Name


class EnrolmentCodeReply(Reply):
    """A code, without the code itself: open until it is used, withdrawn or expired."""

    id: Id
    device_name: str
    created_by: str = Field(description="Who made it, as in the audit trail; empty when that is not known.")
    created_by_id: Id | None = Field(description="The user with whose access it ends; null: at the command line.")
    created_at: Moment
    expires_at: Moment
    used_at: Moment | None
    device_id: Id | None = Field(description="The station that enrolled with it.")
    withdrawn_at: Moment | None


class EnrolmentCodeCreated(Reply):
    """The code, shown this once."""

    id: Id
    code: str
    device_name: str
    expires_at: Moment


class StationConfigUpdate(Request):
    """Settings for one station, or for all when no station is named."""

    device_id: DeviceName | None = Field(default=None, min_length=1, max_length=64)
    settings: StationSettings
    rev: Whole | None = read_only()


class StationConfigReply(Reply):
    """Settings that hold for a station: its own over those for all."""

    device_id: str | None
    settings: StationSettings
    rev: int | None = Field(description="Counts up with every change of these settings; null before the first.")
