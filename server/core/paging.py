"""Pages of lists: which part is asked for, and the one envelope that answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sync.shared.schemas import Page

RecordT = TypeVar("RecordT")
ReplyT = TypeVar("ReplyT")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list is asked for."""

    page: int
    page_size: int
    search: str


def matching(search: str, columns: Sequence[InstrumentedAttribute[str]]) -> ColumnElement[bool]:
    """Return the condition that one of ``columns`` contains ``search``, whatever its case."""
    return or_(*(column.icontains(search, autoescape=True) for column in columns))


def fetch_page(
    session: Session, query: Select[RecordT], wanted: PageQuery, reply: Callable[[RecordT], ReplyT]
) -> Page[ReplyT]:
    """Run an ordered query for one page and count the whole."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows: Sequence[Any] = session.scalars(
        query.limit(wanted.page_size).offset((wanted.page - 1) * wanted.page_size)
    ).all()
    return Page[Any](
        items=[reply(row) for row in rows],
        total_count=total,
        page=wanted.page,
        page_size=wanted.page_size,
        total_pages=-(-total // wanted.page_size),
    )
