"""Stations: enrolled with a one-time code, listed and disabled by administrators. One unit of work a call."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.clock import utc_now
from models.devices import Device, EnrolmentCode
from models.errors import Conflict, NotFound, NotSignedIn
from models.ids import new_id
from models.states import DeviceStatus
from server.audit import audited, differences
from server.auth.identity.principal import Principal
from server.auth.identity.repository import require_maker, revoke_sessions_at
from server.auth.identity.secrets import digest_of, new_code, new_secret, normalised_code
from server.context import ServerContext
from server.core.paging import PageQuery, PageStatements, fetch_page, matching
from server.core.revisions import WHATEVER, Expected
from server.devices.schemas import DeviceReply, DeviceUpdate, EnrolmentCodeCreated, EnrolmentCodeReply
from sync.shared.enrolment import DeviceRegister, DeviceRegistered
from sync.shared.schemas import Page


def create_code(context: ServerContext, who: Principal, device_name: str) -> EnrolmentCodeCreated:
    """Make a code for one new station and return it this once; ``PermissionDenied`` as ``require_maker``."""
    code = new_code()
    expires_at = utc_now() + timedelta(hours=context.settings.enrolment_code_hours)
    with context.database.local_transaction(who.user_id) as session:
        require_maker(session, who)
        record = EnrolmentCode(
            code_digest=digest_of(code),
            device_name=device_name,
            expires_at=expires_at,
            created_by=who.username,
            created_by_id=who.answers_id,
        )
        session.add(record)
        session.flush()
        audited(session, who, "enrolment-code.created", "enrolment_code", record.id, device_name=device_name)
        return EnrolmentCodeCreated(id=record.id, code=code, device_name=device_name, expires_at=expires_at)


def list_codes(context: ServerContext, wanted: PageQuery) -> Page[EnrolmentCodeReply]:
    """Return a page of codes, newest first, without the codes themselves."""
    query = select(EnrolmentCode).order_by(EnrolmentCode.created_at.desc(), EnrolmentCode.id)
    if wanted.search:
        query = query.where(matching(wanted.search, EnrolmentCode))
    with context.database.read() as session:
        return fetch_page(session, PageStatements.of(query, EnrolmentCodeReply), wanted)


def get_code(context: ServerContext, code_id: str) -> EnrolmentCodeReply:
    """Return one code, without the code itself; ``NotFound`` ``enrolment-code-unknown``."""
    with context.database.read() as session:
        record = session.get(EnrolmentCode, code_id)
        if record is None:
            raise NotFound("enrolment-code-unknown")
        return EnrolmentCodeReply.model_validate(record)


def withdraw_code(context: ServerContext, who: Principal, code_id: str, expected: Expected = WHATEVER) -> None:
    """Make a code worthless; nothing happens when it was withdrawn before.

    Raises:
        NotFound: ``enrolment-code-unknown``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``enrolment-code-used`` when a station has enrolled with it.
    """
    with context.database.local_transaction(who.user_id) as session:
        record = session.get(EnrolmentCode, code_id, with_for_update=True)
        if record is None:
            raise NotFound("enrolment-code-unknown")
        expected.require(EnrolmentCodeReply.model_validate(record))
        if record.used_at is not None:
            raise Conflict("enrolment-code-used")
        if record.withdrawn_at is None:
            record.withdrawn_at = utc_now()
            audited(
                session,
                who,
                "enrolment-code.withdrawn",
                "enrolment_code",
                record.id,
                device_name=record.device_name,
                created_by=record.created_by,
            )


def register(context: ServerContext, body: DeviceRegister, address: str) -> DeviceRegistered:
    """Enrol a station; the code is good once.

    Raises:
        NotSignedIn: ``enrolment-code-wrong`` for an unknown, used, withdrawn or old code.
        TooManyRequests: ``sign-in-too-often``.
    """
    attempt = context.limiter.enrolment(address)
    credential = new_secret("ifd")
    with context.database.local_transaction() as session:
        query = select(EnrolmentCode).where(EnrolmentCode.code_digest == digest_of(normalised_code(body.code)))
        code = session.scalar(query.with_for_update())
        if code is None or not _is_open(code):
            raise NotSignedIn("enrolment-code-wrong")
        code.used_at = utc_now()
        device = Device(
            id=new_id(), name=body.name.strip() or code.device_name, credential_digest=digest_of(credential)
        )
        session.add(device)
        session.flush()
        code.device_id = device.id
        audited(
            session, Principal.of_device(device.id), "device.enrolled", "device", device.id, enrolment_code_id=code.id
        )
    attempt.succeeded()
    return DeviceRegistered(device_id=device.id, credential=credential)


def _is_open(code: EnrolmentCode) -> bool:
    return code.used_at is None and code.withdrawn_at is None and code.expires_at > utc_now()


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
    """Rename a station, or disable it: its tokens, and those of users signed in there, are worthless for good.

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
        if "status" in changed and body.status is DeviceStatus.DISABLED:
            device.token_generation += 1
            revoke_sessions_at(session, device.id)
        for name, value in changes.items():
            setattr(device, name, value)
        if changed:
            audited(session, who, "device.changed", "device", device.id, changes=changed)
        session.flush()
        return DeviceReply.model_validate(device)
