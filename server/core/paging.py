"""Pages of lists: which part is asked for, and the one envelope that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sync.shared.schemas import Page

ReplyT = TypeVar("ReplyT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list is asked for."""

    page: int
    page_size: int
    search: str


def matching(search: str, columns: Sequence[InstrumentedAttribute[str]]) -> ColumnElement[bool]:
    """Return the condition that one of ``columns`` contains ``search``, whatever its case."""
    return or_(*(column.icontains(search, autoescape=True) for column in columns))


def fetch_page(session: Session, query: Select[Any], wanted: PageQuery, reply: type[ReplyT]) -> Page[ReplyT]:
    """Run an ordered query for one page and count the whole.

    Only the columns of the reply are read, and no records are made of them: that is three quarters of a list's time.

    Args:
        session: the transaction.
        query: selects records; its order is complete, so that pages do not overlap.
        wanted: the page.
        reply: wire form of a record; its members have the names of columns.
    """
    record = query.column_descriptions[0]["entity"]
    columns = query.with_only_columns(*(getattr(record, name) for name in reply.model_fields))
    skipped = (wanted.page - 1) * wanted.page_size
    rows = session.execute(columns.limit(wanted.page_size).offset(skipped)).mappings().all()
    total = skipped + len(rows)
    if len(rows) == wanted.page_size or (skipped and not rows):
        total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    return Page[Any](
        items=[reply.model_validate(dict(row)) for row in rows],
        total_count=total,
        page=wanted.page,
        page_size=wanted.page_size,
        total_pages=-(-total // wanted.page_size),
    )
