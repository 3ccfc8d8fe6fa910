"""Masters: made, changed, marked deleted, each in one unit of work with its audit entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.clock import utc_now
from models.synced import Master
from server.audit import audited
from server.auth.identity.principal import Principal
from server.context import ServerContext
from server.core.idempotency import already_there
from server.core.paging import PageQuery, fetch_page
from server.masters.repository import alive, listing
from sync.shared.schemas import Page

RecordT = TypeVar("RecordT", bound=Master)
ReplyT = TypeVar("ReplyT", bound=BaseModel)
Check = Callable[[Session, Mapping[str, Any], Any], None]


class Masters(Generic[RecordT, ReplyT]):
    """What all kinds of masters have in common.

    Args:
        record: the record kind.
        reply: its wire form.
        search: columns that the search of a list looks at.
        order: columns that a list is ordered by.
        check: raises when new column values do not fit; gets the transaction, the values, and the record that is
            changed (None for a new one).
        before_delete: raises when a record may not be deleted, or deletes what belongs to it.
        on_change: completes a change, given the record and the new values, before they are set.
    """

    def __init__(
        self,
        record: type[RecordT],
        reply: type[ReplyT],
        *,
        search: Sequence[InstrumentedAttribute[str]],
        order: Sequence[InstrumentedAttribute[str] | InstrumentedAttribute[int]],
        check: Check | None = None,
        before_delete: Callable[[Session, RecordT], None] | None = None,
        on_change: Callable[[RecordT, Mapping[str, Any]], None] | None = None,
    ) -> None:
        self._record = record
        self._reply = reply
        self._search = search
        self._order = order
        self._check = check
        self._before_delete = before_delete
        self._on_change = on_change

    def page(self, context: ServerContext, wanted: PageQuery, *conditions: ColumnElement[bool]) -> Page[ReplyT]:
        """Return a page of those not deleted."""
        query = listing(self._record, wanted.search, self._search, self._order, *conditions)
        with context.database.read() as session:
            return fetch_page(session, query, wanted, self._reply.model_validate)

    def one(self, context: ServerContext, record_id: str) -> ReplyT:
        """Return one; ``NotFound`` when it is not there or deleted."""
        with context.database.read() as session:
            return self._reply.model_validate(alive(session, self._record, record_id))

    def create(
        self, context: ServerContext, who: Principal, record_id: str | None, content: dict[str, Any]
    ) -> tuple[ReplyT, bool]:
        """Make one and return it, and whether it is new; the same request twice has one effect.

        Raises:
            Conflict: ``id-taken``, or what the check of this kind says.
        """
        with context.database.transaction(who.user_id) as session:
            there = already_there(session, self._record, record_id, content)
            if there is not None:
                return self._reply.model_validate(there), False
            if self._check is not None:
                self._check(session, content, None)
            values = content if record_id is None else {**content, "id": record_id}
            record = self._record(**values)
            session.add(record)
            session.flush()
            audited(session, who, f"{record.entity}.created", record.entity, record.id)
            session.flush()
            return self._reply.model_validate(record), True

    def change(self, context: ServerContext, who: Principal, record_id: str, changes: Mapping[str, Any]) -> ReplyT:
        """Set the given columns.

        Raises:
            NotFound: when it is not there or deleted.
            UserFacingError: what the check of this kind says.
        """
        with context.database.transaction(who.user_id) as session:
            record = alive(session, self._record, record_id)
            if self._check is not None:
                self._check(session, changes, record)
            if self._on_change is not None:
                self._on_change(record, changes)
            before = {name: getattr(record, name) for name in changes}
            changed = sorted(name for name, value in changes.items() if before[name] != value)
            for name in changed:
                setattr(record, name, changes[name])
            if changed:
                audited(session, who, f"{record.entity}.changed", record.entity, record.id, fields=changed)
            session.flush()
            return self._reply.model_validate(record)

    def delete(self, context: ServerContext, who: Principal, record_id: str) -> None:
        """Mark one deleted; sessions of the past keep naming it."""
        with context.database.transaction(who.user_id) as session:
            record = alive(session, self._record, record_id)
            if self._before_delete is not None:
                self._before_delete(session, record)
            record.deleted_at = utc_now()
            audited(session, who, f"{record.entity}.deleted", record.entity, record.id)


def given(body: BaseModel) -> dict[str, Any]:
    """Return the members of a change that the client sent."""
    return body.model_dump(exclude_unset=True)
