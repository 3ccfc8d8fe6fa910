"""``/tauri`` for stations; ``/devices`` and ``/enrolment-codes`` for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from models.states import DeviceStatus, Role
from server.auth import service as sign_in
from server.core.paging import PageQuery
from server.devices import codes, config, service, stores
from server.devices.schemas import (
    DeviceReply,
    DeviceStoreChoice,
    DeviceStoreReply,
    DeviceUpdate,
    EnrolmentCodeCreate,
    EnrolmentCodeCreated,
    EnrolmentCodeReply,
    StationConfigReply,
    StationConfigUpdate,
)
from server.http.clients import ClientAddress
from server.http.dependencies import Asking, Context, Principal, require
from server.http.idempotency import shown_once
from server.http.lanes import signing_in
from server.http.paging import paging_by
from server.http.revisions import Answered, IfMatch, Read
from server.http.routes import feature_router
from sync.shared.enrolment import DeviceRegister, DeviceRegistered
from sync.shared.schemas import DeviceName, NamedId, Page
from sync.shared.sign_in import DeviceLoginRequest, DeviceToken, StationLoginRequest, TokenPair

router = feature_router(tags=["stations"])
DevicePaging = Annotated[PageQuery, Depends(paging_by("name", "status", "enrolled_at", "last_seen_at"))]
CodePaging = Annotated[PageQuery, Depends(paging_by("device_name", "created_at", "expires_at"))]
ADMIN_ONLY = [Depends(require(Role.ADMIN))]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]


@router.post("/tauri/devices/register", summary="Enrol a station", status_code=201, responses={401: {}, 429: {}})
def register(body: DeviceRegister, address: ClientAddress, context: Context, answer: Answered) -> DeviceRegistered:
    """With a one-time code of an administrator; the credential is shown this once."""
    made = service.register(context, body, address)
    answer.created(f"/devices/{made.device_id}")
    return made


@router.post("/tauri/auth/login", summary="Sign in a user at a station", responses={401: {}, 429: {}})
@signing_in
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
    answer: Read,
    device_id: Annotated[DeviceName | None, Query(max_length=64, description="Empty: the station that asks.")] = None,
) -> StationConfigReply:
    """Its own over those for all stations."""
    return answer.of(config.get_config(context, asking.device_id or device_id))


@router.put("/tauri/config", summary="Set what is handed to stations", responses={404: {}})
def set_config(
    asking: Admin, context: Context, body: StationConfigUpdate, answer: Answered, expected: IfMatch
) -> StationConfigReply:
    """Administrators only; replaces the settings of one station, or of all when none is named."""
    return answer.of(config.set_config(context, asking, body, expected))


@router.get("/devices", summary="List stations", dependencies=ADMIN_ONLY)
def list_devices(
    context: Context,
    paging: DevicePaging,
    status: Annotated[DeviceStatus | None, Query(description="Only this status.")] = None,
) -> Page[DeviceReply]:
    """Administrators only."""
    return service.list_devices(context, paging, status)


@router.get("/devices/{device_id}", summary="One station", dependencies=ADMIN_ONLY)
def get_device(device_id: NamedId, context: Context, answer: Read) -> DeviceReply:
    """Administrators only."""
    return answer.of(service.get_device(context, device_id))


@router.put("/devices/{device_id}", summary="Rename or disable a station")
def update_device(
    device_id: NamedId, asking: Admin, context: Context, body: DeviceUpdate, answer: Answered, expected: IfMatch
) -> DeviceReply:
    """Administrators only; a disabled station's tokens become invalid at once."""
    return answer.of(service.update_device(context, asking, device_id, body, expected))


@router.get("/devices/{device_id}/stores", summary="List the stores under a station's id", dependencies=ADMIN_ONLY)
def list_stores(device_id: NamedId, context: Context) -> list[DeviceStoreReply]:
    """Administrators only; more than one that is not retired: the station's disk was copied."""
    return stores.list_stores(context, device_id)


@router.get("/devices/{device_id}/store", summary="The store that is a station's own", dependencies=ADMIN_ONLY)
def get_store(device_id: NamedId, context: Context, answer: Read) -> DeviceStoreReply:
    """Administrators only; its ETag changes when another one is chosen."""
    store = stores.get_store(context, device_id)
    answer.tag(stores.revision_of_choice(store.id))
    return store


@router.put("/devices/{device_id}/store", summary="Choose the store that is a station's own")
def choose_store(
    device_id: NamedId,
    asking: Admin,
    context: Context,
    body: DeviceStoreChoice,
    answer: Answered,
    expected: IfMatch,
) -> DeviceStoreReply:
    """Administrators only; the other store is refused from now on and keeps what it has recorded."""
    store = stores.accept_store(context, asking, device_id, body.store_id, expected)
    answer.tag(stores.revision_of_choice(store.id))
    return store


@router.get("/enrolment-codes", summary="List enrolment codes", dependencies=ADMIN_ONLY)
def list_codes(
    context: Context,
    paging: CodePaging,
    used: Annotated[bool | None, Query(description="Only those a station enrolled with, or only the others.")] = None,
) -> Page[EnrolmentCodeReply]:
    """Administrators only; the codes themselves are not kept."""
    return codes.list_codes(context, paging, used=used)


@router.post("/enrolment-codes", summary="Make an enrolment code", status_code=201)
@shown_once
def create_code(asking: Admin, context: Context, body: EnrolmentCodeCreate, answer: Answered) -> EnrolmentCodeCreated:
    """Administrators only; good once and for a short time, shown this once."""
    made = codes.create_code(context, asking, body.device_name)
    answer.created(f"/enrolment-codes/{made.id}")
    return made


@router.get("/enrolment-codes/{code_id}", summary="One enrolment code", dependencies=ADMIN_ONLY)
def get_code(code_id: NamedId, context: Context, answer: Read) -> EnrolmentCodeReply:
    """Administrators only; the code itself is not kept."""
    return answer.of(codes.get_code(context, code_id))


@router.delete("/enrolment-codes/{code_id}", summary="Withdraw an enrolment code", status_code=204, responses={409: {}})
def withdraw_code(code_id: NamedId, asking: Admin, context: Context, expected: IfMatch) -> None:
    """Administrators only; the code becomes invalid at once. One that was used is 409: disable the station instead."""
    codes.withdraw_code(context, asking, code_id, expected)
