"""Creating, changing and deleting masters, each in one unit of work with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.clock import utc_now
from models.pipelines import Pipeline
from models.synced import ListedMaster
from server.audit import audited, differences, made, record_changes, removed
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency import existing_record
from server.core.paging import PageQuery, PageStatements, fetch_page
from server.core.revisions import WHATEVER, Expected
from server.masters.repository import alive, listing
from server.masters.rules import column_values, counted_version, delete_along, require_deletable, require_valid
from sync.shared.schemas import Changes, Page

RecordT = TypeVar("RecordT", bound=ListedMaster)
ReplyT = TypeVar("ReplyT", bound=BaseModel)


class Masters(Generic[RecordT, ReplyT]):
    """Operations that all kinds of masters share; ``server.masters.rules`` checks each change.

    Args:
        record: the record kind.
        reply: its wire form.
        order: columns that a list is ordered by.
    """

    def __init__(
        self,
        record: type[RecordT],
        reply: type[ReplyT],
        *,
        order: Sequence[InstrumentedAttribute[str] | InstrumentedAttribute[int]],
    ) -> None:
        self._record = record
        self._reply = reply
        self._order = order
        self._all = PageStatements.of(listing(record, "", order), reply)

    def page(self, context: ServerContext, wanted: PageQuery, *conditions: ColumnElement[bool]) -> Page[ReplyT]:
        """Return a page of those not deleted."""
        statements = self._all
        if wanted.search or wanted.sort or conditions:
            query = listing(self._record, wanted.search, self._order, *conditions)
            statements = PageStatements.of(query, self._reply, wanted)
        with context.database.connection() as connection:
            return fetch_page(connection, statements, wanted)

    def one(self, context: ServerContext, record_id: str) -> ReplyT:
        """Return one; ``NotFound`` when it is not there or deleted."""
        with context.database.read() as session:
            return self._reply.model_validate(alive(session, self._record, record_id))

    def create(
        self, context: ServerContext, who: Principal, record_id: str | None, content: dict[str, Any]
    ) -> tuple[ReplyT, bool]:
        """Create a master and return it, with whether it is new; the same request twice has one effect.

        Raises:
            Conflict: ``id-taken``.
            UserFacingError: as ``require_valid``.
        """
        with context.database.transaction(who.user_id) as session:
            existing = existing_record(session, self._record, record_id, content)
            if existing is not None:
                return self._reply.model_validate(existing), False
            require_valid(session, self._record, {"id": record_id, **content}, content.keys())
            values = content if record_id is None else {**content, "id": record_id}
            record = self._record(**values)
            session.add(record)
            session.flush()
            audited(session, who, f"{record.entity}.created", record.entity, record.id, changes=made(content))
            record_changes(session, delete_along(session, who, record))
            session.flush()
            return self._reply.model_validate(record), True

    def change(
        self, context: ServerContext, who: Principal, record_id: str, body: Changes, expected: Expected = WHATEVER
    ) -> ReplyT:
        """Set the columns that are given.

        Raises:
            NotFound: when it is not there or deleted.
            PreconditionFailed: ``revision-mismatch``.
            UserFacingError: as ``Expected.require`` and ``require_valid``.
        """
        with context.database.transaction(who.user_id) as session:
            record = alive(session, self._record, record_id)
            expected.require(self._reply.model_validate(record), body)
            _change(session, who, record, body.given())
            session.flush()
            return self._reply.model_validate(record)

    def delete(self, context: ServerContext, who: Principal, record_id: str, expected: Expected = WHATEVER) -> None:
        """Mark a master deleted, with what belongs to it; sessions of the past keep naming it.

        Raises:
            NotFound: when it is not there or deleted.
            PreconditionFailed: ``revision-mismatch``.
            Conflict: as ``require_deletable``.
        """
        with context.database.transaction(who.user_id) as session:
            record = alive(session, self._record, record_id)
            expected.require(self._reply.model_validate(record))
            require_deletable(session, record)
            gone = removed(column_values(record))
            record.deleted_at = utc_now()
            audited(session, who, f"{record.entity}.deleted", record.entity, record.id, changes=gone)
            record_changes(session, delete_along(session, who, record))


def _change(session: Session, who: Principal, record: ListedMaster, changes: Mapping[str, Any]) -> None:
    """Set columns of a master in the caller's transaction, with an audit entry when one of them changes."""
    before = column_values(record)
    changed = sorted(name for name, value in changes.items() if before[name] != value)
    if not changed:
        return
    require_valid(session, type(record), {**before, **changes}, changed)
    after = {name: changes[name] for name in changed}
    if isinstance(record, Pipeline):
        after["version"] = counted_version(record.version, changed="definition" in changed)
    for name, value in after.items():
        setattr(record, name, value)
    audited(session, who, f"{record.entity}.changed", record.entity, record.id, changes=differences(before, after))
