"""Stations: enrolled with a one-time code, listed and disabled by administrators. One unit of work a call."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.clock import utc_now
from models.devices import Device, EnrolmentCode
from models.errors import Conflict, NotSignedIn
from models.ids import new_id
from models.states import DeviceStatus
from server.audit import audited, differences, made
from server.auth.identity.principal import Principal
from server.auth.identity.repository import revoke_sessions_at
from server.auth.identity.secrets import digest_of, new_secret, normalised_code, same_digest
from server.auth.refusals import Refusal, record_refusal
from server.change_log.generation import begin_generation, generation
from server.context import ServerContext
from server.core.paging import PageQuery, search_page
from server.core.records import require_record
from server.core.release_keys import public_key
from server.core.revisions import WHATEVER, Expected
from server.devices.schemas import DeviceReply, DeviceUpdate
from sync.shared.enrolment import DeviceRegister, DeviceRegistered
from sync.shared.schemas import Page


def register(context: ServerContext, body: DeviceRegister, address: str) -> DeviceRegistered:
    """Enrol a station; the code is good once.

    Raises:
        NotSignedIn: ``enrolment-code-wrong`` for an unknown, used, withdrawn or old code.
        TooManyRequests: ``sign-in-too-often``.
    """
    attempt = context.limiter.enrolment(address)
    with context.database.local_transaction() as session:
        query = select(EnrolmentCode).where(EnrolmentCode.code_digest == digest_of(normalised_code(body.code)))
        code = session.scalar(query.with_for_update())
        refusal = None if code is None else _why_refused(code)
        if code is None or refusal is not None:
            claimed, reason = (code.id if code else ""), refusal or "unknown"
            refused = Refusal("device.enrolment-refused", "enrolment_code", claimed, reason, address)
            record_refusal(session, refused)
            registered = None
        else:
            registered = _enrol(session, context, code, body, address)
    if registered is None:
        raise NotSignedIn("enrolment-code-wrong")
    attempt.succeeded()
    return registered


def _enrol(
    session: Session, context: ServerContext, code: EnrolmentCode, body: DeviceRegister, address: str
) -> DeviceRegistered:
    credential = new_secret("ifd")
    code.used_at = utc_now()
    device = Device(id=new_id(), name=body.name.strip() or code.device_name, credential_digest=digest_of(credential))
    device.succeeds_id = _proven_former(session, body)
    session.add(device)
    session.flush()
    code.device_id = device.id
    begin_generation(session)
    of_server = generation(session)
    who = replace(Principal.of_device(device.id), address=address)
    content = {"name": device.name, "enrolment_code_id": code.id, "succeeds_id": device.succeeds_id}
    audited(session, who, "device.enrolled", "device", device.id, changes=made(content))
    return DeviceRegistered(
        device_id=device.id,
        credential=credential,
        release_key=public_key(context.settings),
        succeeds_id=device.succeeds_id,
        generation=of_server,
    )


def _proven_former(session: Session, body: DeviceRegister) -> str | None:
    """Return the station of whose store the new one's is a copy, when it proves so and that one is not revoked.

    The new station may complete what the copied store holds of that one's parts.
    """
    former = session.get(Device, body.former_device_id) if body.former_device_id else None
    if former is None or former.status is DeviceStatus.REVOKED:
        return None
    return former.id if same_digest(digest_of(body.former_credential), former.credential_digest) else None


def _why_refused(code: EnrolmentCode) -> str | None:
    """Return why a code enrols no station; None when it does."""
    if code.used_at is not None:
        return "used"
    if code.withdrawn_at is not None:
        return "withdrawn"
    return None if code.expires_at > utc_now() else "expired"


def list_devices(context: ServerContext, wanted: PageQuery, status: DeviceStatus | None = None) -> Page[DeviceReply]:
    """Return a page of stations by name, of one status where that is asked for."""
    by_name = select(Device).order_by(Device.name, Device.id)
    if status is not None:
        by_name = by_name.where(Device.status == status)
    return search_page(context.database, by_name, Device, DeviceReply, wanted)


def get_device(context: ServerContext, device_id: str) -> DeviceReply:
    """Return one station; ``NotFound`` ``device-unknown``."""
    with context.database.read() as session:
        return DeviceReply.model_validate(require_record(session, Device, device_id, "device-unknown"))


def update_device(
    context: ServerContext, who: Principal, device_id: str, body: DeviceUpdate, expected: Expected = WHATEVER
) -> DeviceReply:
    """Rename a station, or disable or revoke it: its tokens, and those of users signed in there, end for good.

    Raises:
        NotFound: ``device-unknown``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``member-read-only``; ``device-revoked-for-good`` when a revoked one would be more again.
    """
    changes = body.given()
    with context.database.local_transaction(who.user_id) as session:
        device = require_record(session, Device, device_id, "device-unknown", locked=True)
        expected.require(DeviceReply.model_validate(device), body)
        changed = differences({name: getattr(device, name) for name in changes}, changes)
        if "status" in changed and device.status is DeviceStatus.REVOKED:
            raise Conflict("device-revoked-for-good")
        if "status" in changed and body.status is not DeviceStatus.ACTIVE:
            device.token_generation += 1
            revoke_sessions_at(session, device.id)
        for name, value in changes.items():
            setattr(device, name, value)
        if changed:
            audited(session, who, "device.changed", "device", device.id, changes=changed)
        session.flush()
        return DeviceReply.model_validate(device)
