"""``/tauri`` for stations; ``/devices`` and ``/enrolment-codes`` for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from models.states import Role
from server.auth import service as sign_in
from server.devices import config, service
from server.devices.schemas import (
    DeviceReply,
    DeviceUpdate,
    EnrolmentCodeCreate,
    EnrolmentCodeCreated,
    StationConfigReply,
    StationConfigUpdate,
)
from server.http.clients import ClientAddress
from server.http.dependencies import Asking, Context, Principal, require
from server.http.paging import Paging
from server.http.routes import feature_router
from sync.shared.enrolment import DeviceRegister, DeviceRegistered
from sync.shared.schemas import Page
from sync.shared.sign_in import DeviceLoginRequest, DeviceToken, StationLoginRequest, TokenPair

router = feature_router(tags=["stations"])
ADMIN_ONLY = [Depends(require(Role.ADMIN))]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]


@router.post("/tauri/devices/register", summary="Enrol a station", status_code=201, responses={401: {}, 429: {}})
def register(body: DeviceRegister, address: ClientAddress, context: Context) -> DeviceRegistered:
    """With a one-time code of an administrator; the credential is shown this once."""
    return service.register(context, body, address)


@router.post("/tauri/auth/login", summary="Sign in a user at a station", responses={401: {}, 429: {}})
def station_login(body: StationLoginRequest, address: ClientAddress, context: Context) -> TokenPair:
    """User and station together."""
    return sign_in.sign_in_at_station(
        context,
        body.username,
        body.password,
        address,
        device_id=body.device_id,
        credential=body.credential,
    )


@router.post("/tauri/auth/device", summary="A token for a station alone", responses={401: {}, 429: {}})
def device_login(body: DeviceLoginRequest, address: ClientAddress, context: Context) -> DeviceToken:
    """To synchronise while nobody is signed in."""
    return sign_in.sign_in_device(context, body.device_id, body.credential, address)


@router.get("/tauri/config", summary="The settings that hold for a station")
def get_config(
    asking: Asking,
    context: Context,
    device_id: Annotated[str | None, Query(max_length=64, description="Empty: the station that asks.")] = None,
) -> StationConfigReply:
    """Its own over those for all stations."""
    return config.get_config(context, asking.device_id or device_id)


@router.put("/tauri/config", summary="Set what is handed to stations")
def set_config(asking: Admin, context: Context, body: StationConfigUpdate) -> StationConfigReply:
    """Administrators only; replaces the settings of one station, or of all when none is named."""
    return config.set_config(context, asking, body)


@router.get("/devices", summary="List stations", dependencies=ADMIN_ONLY)
def list_devices(context: Context, paging: Paging) -> Page[DeviceReply]:
    """Administrators only."""
    return service.list_devices(context, paging)


@router.put("/devices/{device_id}", summary="Rename or disable a station")
def update_device(device_id: str, asking: Admin, context: Context, body: DeviceUpdate) -> DeviceReply:
    """Administrators only; a disabled station's tokens are worthless at once."""
    return service.update_device(context, asking, device_id, body)


@router.post("/enrolment-codes", summary="Make an enrolment code", status_code=201)
def create_code(asking: Admin, context: Context, body: EnrolmentCodeCreate) -> EnrolmentCodeCreated:
    """Administrators only; good once and for a short time, shown this once."""
    return service.create_code(context, asking, body.device_name)
