"""Stations: enrolled with a one-time code, listed and disabled by administrators. One unit of work a call."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.clock import utc_now
from models.devices import Device, EnrolmentCode
from models.errors import NotFound, NotSignedIn
from models.ids import new_id
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.auth.identity.secrets import digest_of, new_code, new_secret, normalised_code
from server.context import ServerContext
from server.core.paging import PageQuery, PageStatements, fetch_page, matching
from server.core.revisions import WHATEVER, Expected
from server.devices.schemas import DeviceReply, DeviceUpdate, EnrolmentCodeCreated
from sync.shared.enrolment import DeviceRegister, DeviceRegistered
from sync.shared.schemas import Page


def create_code(context: ServerContext, who: Principal, device_name: str) -> EnrolmentCodeCreated:
    """Make a code for one new station and return it this once."""
    code = new_code()
    expires_at = utc_now() + timedelta(hours=context.settings.enrolment_code_hours)
    with context.database.local_transaction(who.user_id) as session:
        record = EnrolmentCode(code_digest=digest_of(code), device_name=device_name, expires_at=expires_at)
        session.add(record)
        session.flush()
        audited(session, who, "enrolment-code.created", "enrolment_code", record.id, device_name=device_name)
        return EnrolmentCodeCreated(id=record.id, code=code, device_name=device_name, expires_at=expires_at)


def register(context: ServerContext, body: DeviceRegister, address: str) -> DeviceRegistered:
    """Enrol a station; the code is good once.

    Raises:
        NotSignedIn: ``enrolment-code-wrong`` for an unknown, used or old code.
        TooManyRequests: ``sign-in-too-often``.
    """
    attempt = context.limiter.enrolment(address)
    credential = new_secret("ifd")
    with context.database.local_transaction() as session:
        query = select(EnrolmentCode).where(EnrolmentCode.code_digest == digest_of(normalised_code(body.code)))
        code = session.scalar(query.with_for_update())
        if code is None or code.used_at is not None or code.expires_at <= utc_now():
            raise NotSignedIn("enrolment-code-wrong")
        code.used_at = utc_now()
        device = Device(
            id=new_id(), name=body.name.strip() or code.device_name, credential_digest=digest_of(credential)
        )
        session.add(device)
        session.flush()
        audited(
            session, Principal.of_device(device.id), "device.enrolled", "device", device.id, enrolment_code_id=code.id
        )
    attempt.succeeded()
    return DeviceRegistered(device_id=device.id, credential=credential)


def list_devices(context: ServerContext, wanted: PageQuery) -> Page[DeviceReply]:
    """Return a page of stations by name."""
    query = select(Device).order_by(Device.name, Device.id)
    if wanted.search:
        query = query.where(matching(wanted.search, Device))
    with context.database.read() as session:
        return fetch_page(session, PageStatements.of(query, DeviceReply), wanted)


def get_device(context: ServerContext, device_id: str) -> DeviceReply:
    """Return one station; ``NotFound`` ``device-unknown``."""
    with context.database.read() as session:
        device = session.get(Device, device_id)
        if device is None:
            raise NotFound("device-unknown")
        return DeviceReply.model_validate(device)


def update_device(
    context: ServerContext, who: Principal, device_id: str, body: DeviceUpdate, expected: Expected = WHATEVER
) -> DeviceReply:
    """Rename a station, or disable it: its tokens are worthless at once.

    Raises:
        NotFound: ``device-unknown``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``member-read-only``.
    """
    changes = body.given()
    with context.database.local_transaction(who.user_id) as session:
        device = session.get(Device, device_id, with_for_update=True)
        if device is None:
            raise NotFound("device-unknown")
        expected.require(DeviceReply.model_validate(device), body)
        changed = differences({name: getattr(device, name) for name in changes}, changes)
        for name, value in changes.items():
            setattr(device, name, value)
        if changed:
            audited(session, who, "device.changed", "device", device.id, changes=changed)
        session.flush()
        return DeviceReply.model_validate(device)
