"""Audit entries, read only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select

from models.audit import AuditEntry
from server.audit_trail.schemas import AuditReply
from server.context import ServerContext
from server.core.paging import PageQuery, PageStatements, fetch_page
from server.core.periods import Period
from server.core.records import require_record
from sync.shared.schemas import Page


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are asked for; None is any."""

    period: Period
    device_id: str | None = None
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    subject_id: str | None = None


def list_entries(context: ServerContext, wanted: AuditFilter, paging: PageQuery) -> Page[AuditReply]:
    """Return a page of entries, newest first; the search looks at actor, action and subject."""
    statements = PageStatements.of(_listing(wanted, paging.search), AuditReply, paging)
    with context.database.read() as session:
        return fetch_page(session, statements, paging)


def get_entry(context: ServerContext, entry_id: str) -> AuditReply:
    """Return one entry; ``NotFound`` ``audit-entry-unknown``."""
    with context.database.read() as session:
        return AuditReply.model_validate(require_record(session, AuditEntry, entry_id, "audit-entry-unknown"))


def _listing(wanted: AuditFilter, search: str) -> Select[Any]:
    # Ids are UUIDv7: their order is the order of creation, and the primary key serves it.
    query = select(AuditEntry).order_by(AuditEntry.id.desc())
    equal = {
        AuditEntry.device_id: wanted.device_id,
        AuditEntry.actor: wanted.actor,
        AuditEntry.action: wanted.action,
        AuditEntry.subject: wanted.subject,
        AuditEntry.subject_id: wanted.subject_id,
    }
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.period.start is not None:
        query = query.where(AuditEntry.created_at >= wanted.period.start)
    if wanted.period.end is not None:
        query = query.where(AuditEntry.created_at < wanted.period.end)
    if not search:
        return query
    searched = (AuditEntry.actor, AuditEntry.action, AuditEntry.subject, AuditEntry.subject_id)
    return query.where(or_(*(column.icontains(search, autoescape=True) for column in searched)))
