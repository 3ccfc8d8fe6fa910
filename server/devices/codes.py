"""One-time codes with which stations enrol: made, listed and withdrawn by administrators. One unit of work a call."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.clock import utc_now
from models.devices import EnrolmentCode
from models.errors import Conflict
from server.audit import audited, differences, made
from server.auth.identity.principal import Principal
from server.auth.identity.repository import require_maker
from server.auth.identity.secrets import digest_of, new_code
from server.context import ServerContext
from server.core.paging import PageQuery, search_page
from server.core.records import require_record
from server.core.revisions import WHATEVER, Expected
from server.devices.schemas import EnrolmentCodeCreated, EnrolmentCodeReply
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
        content = {"device_name": device_name, "expires_at": expires_at}
        audited(session, who, "enrolment-code.created", "enrolment_code", record.id, changes=made(content))
        return EnrolmentCodeCreated(id=record.id, code=code, device_name=device_name, expires_at=expires_at)


def list_codes(context: ServerContext, wanted: PageQuery, *, used: bool | None = None) -> Page[EnrolmentCodeReply]:
    """Return a page of codes, newest first, without the codes themselves; used or not where that is asked for."""
    newest_first = select(EnrolmentCode).order_by(EnrolmentCode.created_at.desc(), EnrolmentCode.id)
    if used is not None:
        newest_first = newest_first.where(EnrolmentCode.used_at.is_not(None) == used)
    return search_page(context.database, newest_first, EnrolmentCode, EnrolmentCodeReply, wanted)


def get_code(context: ServerContext, code_id: str) -> EnrolmentCodeReply:
    """Return one code, without the code itself; ``NotFound`` ``enrolment-code-unknown``."""
    with context.database.read() as session:
        record = require_record(session, EnrolmentCode, code_id, "enrolment-code-unknown")
        return EnrolmentCodeReply.model_validate(record)


def withdraw_code(context: ServerContext, who: Principal, code_id: str, expected: Expected = WHATEVER) -> None:
    """Withdraw a code; nothing happens when it was withdrawn before.

    Raises:
        NotFound: ``enrolment-code-unknown``.
        PreconditionFailed: ``revision-mismatch``.
        Conflict: ``enrolment-code-used`` when a station has enrolled with it.
    """
    with context.database.local_transaction(who.user_id) as session:
        record = require_record(session, EnrolmentCode, code_id, "enrolment-code-unknown", locked=True)
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
                changes=differences({}, {"withdrawn_at": record.withdrawn_at}),
            )
