"""API keys of machines: shown once, kept as digests. One unit of work a call."""

from __future__ import annotations

from sqlalchemy import select

from models.clock import utc_now
from models.errors import InvalidInput
from models.states import Role
from models.users import ApiKey
from server.audit import audited, differences, made
from server.auth.identity.principal import Principal
from server.auth.identity.repository import require_maker
from server.auth.identity.secrets import digest_of, new_secret
from server.context import ServerContext
from server.core.paging import PageQuery, search_page
from server.core.records import require_record
from server.core.revisions import WHATEVER, Expected
from server.users.schemas import ApiKeyCreate, ApiKeyCreated, ApiKeyReply
from sync.shared.schemas import Page


def list_keys(
    context: ServerContext, wanted: PageQuery, *, role: Role | None = None, revoked: bool | None = None
) -> Page[ApiKeyReply]:
    """Return a page of keys, newest first, without the keys themselves; of a role, or withdrawn or not."""
    newest_first = select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id)
    if role is not None:
        newest_first = newest_first.where(ApiKey.role == role)
    if revoked is not None:
        newest_first = newest_first.where(ApiKey.revoked_at.is_not(None) == revoked)
    return search_page(context.database, newest_first, ApiKey, ApiKeyReply, wanted)


def create_key(context: ServerContext, who: Principal, body: ApiKeyCreate) -> ApiKeyCreated:
    """Make a key and return it this once.

    Raises:
        InvalidInput: ``key-expires-in-the-past``.
        PermissionDenied: as ``require_maker``.
    """
    if body.expires_at is not None and body.expires_at <= utc_now():
        raise InvalidInput("key-expires-in-the-past")
    key = new_secret("ifk")
    with context.database.local_transaction(who.user_id) as session:
        require_maker(session, who)
        record = ApiKey(
            name=body.name,
            role=body.role,
            scopes=sorted({scope.value for scope in body.scopes}),
            key_digest=digest_of(key),
            expires_at=body.expires_at,
            created_by=who.username,
            created_by_id=who.answers_id,
        )
        session.add(record)
        session.flush()
        content = {**body.model_dump(mode="json"), "scopes": record.scopes}
        audited(session, who, "key.created", "api_key", record.id, changes=made(content))
        return ApiKeyCreated(**ApiKeyReply.model_validate(record).model_dump(), key=key)


def get_key(context: ServerContext, key_id: str) -> ApiKeyReply:
    """Return one key, without the key itself; ``NotFound`` ``key-unknown``."""
    with context.database.read() as session:
        return ApiKeyReply.model_validate(require_record(session, ApiKey, key_id, "key-unknown"))


def revoke_key(context: ServerContext, who: Principal, key_id: str, expected: Expected = WHATEVER) -> None:
    """Withdraw a key; nothing happens when it was withdrawn before.

    Raises:
        NotFound: ``key-unknown``.
        PreconditionFailed: ``revision-mismatch``.
    """
    with context.database.local_transaction(who.user_id) as session:
        record = require_record(session, ApiKey, key_id, "key-unknown", locked=True)
        expected.require(ApiKeyReply.model_validate(record))
        if record.revoked_at is None:
            record.revoked_at = utc_now()
            changes = differences({}, {"revoked_at": record.revoked_at})
            audited(session, who, "key.revoked", "api_key", record.id, created_by=record.created_by, changes=changes)
